/** JSON Schemas of what an agent class takes and gives, as far as its schema library can tell. */

import type { StandardSchema } from '@sophia-ai/core';
import { toJSONSchema } from 'zod/v4/core';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The part of Standard JSON Schema (https://standardschema.dev) that is used here. */
interface JsonSchemaSource {
  readonly jsonSchema?: Readonly<Record<'input' | 'output', (options: { readonly target: string }) => JsonSchema>>;
}

const DRAFT = 'draft-2020-12';

/** @returns `null` for no schema, and for one whose library cannot say it in JSON. */
export function jsonSchemaOf(
  schema: StandardSchema<unknown, unknown> | undefined,
  side: 'input' | 'output',
): JsonSchema | null {
  if (schema === undefined) return null;
  const standard: StandardSchema<unknown, unknown>['~standard'] & JsonSchemaSource = schema['~standard'];
  return (
    attempt(() => standard.jsonSchema?.[side]({ target: DRAFT })) ??
    // zod before 4.2 has no Standard JSON Schema, and any zod gives up at what JSON cannot say, such as a Date.
    (standard.vendor === 'zod' ? attempt(() => zodSchema(schema, side)) : null)
  );
}

function zodSchema(schema: unknown, io: 'input' | 'output'): JsonSchema {
  return toJSONSchema(schema as Parameters<typeof toJSONSchema>[0], { target: DRAFT, io, unrepresentable: 'any' });
}

function attempt(convert: () => JsonSchema | undefined): JsonSchema | null {
  try {
    return convert() ?? null;
  } catch {
    return null;
  }
}
