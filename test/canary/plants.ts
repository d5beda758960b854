/** Plants a secret by force on and in every object that properties lead to, as code that does not care would. */

import { types } from 'node:util';
import { isBuiltin } from './search.ts';

const STRAY = Symbol('stray');
/** More is not needed to be found, and takes the time of those who look. */
const MOST_OBJECTS = 500;

type Undo = () => void;

/** @returns how to take it all back, for objects that outlive the test. */
export function plantByForce(root: unknown, secret: string): Undo {
  const seen = new Set<object>();
  const ahead: unknown[] = [root];
  const undoing: Undo[] = [];
  while (ahead.length > 0 && seen.size < MOST_OBJECTS) {
    const value = ahead.pop();
    if (!isObject(value) || seen.has(value) || isBuiltin(value)) continue;
    seen.add(value);
    ahead.push(...insideOf(value));
    undoing.push(...plantOn(value, secret));
  }
  return () => {
    for (const undo of undoing) undo();
  };
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Values of properties and entries; accessors are not called and prototypes not entered: they belong to the type. */
function insideOf(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) return [];
  const inside: unknown[] = [];
  for (const key of Reflect.ownKeys(value)) {
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    if (key !== 'prototype' && property?.get === undefined) inside.push(property?.value);
  }
  if (types.isMap(value)) inside.push(...Map.prototype.values.call(value));
  if (types.isSet(value)) inside.push(...Set.prototype.values.call(value));
  return inside;
}

/** Adds what can be added; where nothing can, overwrites what can be. */
function plantOn(value: object, secret: string): Undo[] {
  const undoing = Object.isExtensible(value) ? [addTo(value, secret)] : overwrite(value, secret);
  if (types.isMap(value)) {
    Map.prototype.set.call(value, secret, secret);
    undoing.push(() => void Map.prototype.delete.call(value, secret));
  } else if (types.isSet(value)) {
    Set.prototype.add.call(value, secret);
    undoing.push(() => void Set.prototype.delete.call(value, secret));
  }
  return undoing;
}

function addTo(value: object, secret: string): Undo {
  Object.defineProperty(value, STRAY, { value: secret, configurable: true });
  if (Array.isArray(value)) value.push(secret);
  return () => {
    Reflect.deleteProperty(value, STRAY);
    if (Array.isArray(value)) value.splice(value.lastIndexOf(secret), 1);
  };
}

function overwrite(value: object, secret: string): Undo[] {
  const undoing: Undo[] = [];
  for (const key of Reflect.ownKeys(value)) {
    const { value: before, writable } = Reflect.getOwnPropertyDescriptor(value, key) ?? {};
    if (writable !== true || typeof before !== 'string') continue;
    Reflect.set(value, key, secret);
    undoing.push(() => void Reflect.set(value, key, before));
  }
  return undoing;
}
