/** The intrusive list does what an array would do, in constant time. */

import assert from 'node:assert/strict';
import test from 'node:test';

import fc from 'fast-check';

import { LinkedList } from '../src/base/linked-list.ts';
import type { Linked } from '../src/base/linked-list.ts';

class Node implements Linked<Node> {
  previous: Node | undefined = undefined;
  next: Node | undefined = undefined;
}

test('it behaves as an array does, whatever is pushed, taken and removed', () => {
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.constant({ do: 'push', at: 0 }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), at: fc.nat(99) }) },
    { weight: 1, arbitrary: fc.constantFrom({ do: 'shift', at: 0 }, { do: 'pop', at: 0 }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const list = new LinkedList<Node>();
      const naive: Node[] = [];
      for (const { do: what, at } of operations) {
        if (what === 'push') {
          const node = new Node();
          list.push(node);
          naive.push(node);
        } else if (what === 'shift') assert.equal(list.shift(), naive.shift());
        else if (what === 'pop') assert.equal(list.pop(), naive.pop());
        else if (naive.length > 0) {
          const [node] = naive.splice(at % naive.length, 1);
          assert.ok(node);
          list.remove(node);
          assert.equal(node.previous, undefined, 'a removed node keeps no neighbour alive');
          assert.equal(node.next, undefined);
        }
        assert.deepEqual([...list], naive);
        assert.equal(list.size, naive.length);
        assert.equal(list.first, naive[0]);
        assert.equal(list.last, naive.at(-1));
      }
    }),
    { numRuns: 500 },
  );
});

test('the loop body may remove the node it was given', () => {
  const list = new LinkedList<Node>();
  const nodes = [new Node(), new Node(), new Node()];
  for (const node of nodes) list.push(node);
  const seen: Node[] = [];
  for (const node of list) {
    seen.push(node);
    list.remove(node);
  }
  assert.deepEqual(seen, nodes);
  assert.equal(list.size, 0);
});

test('a node may stand in a list again after it was removed', () => {
  const list = new LinkedList<Node>();
  const node = new Node();
  list.push(node);
  list.push(new Node());
  list.remove(node);
  list.push(node);
  assert.equal(list.last, node);
  assert.equal(list.size, 2);
});
