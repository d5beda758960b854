/** An intrusive doubly linked list: add and remove cost O(1) and allocate nothing. A node stands in one list at a time. */

export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

export class LinkedList<T extends Linked<T>> {
  first: T | undefined = undefined;
  last: T | undefined = undefined;
  size = 0;

  push(node: T): void {
    node.previous = this.last;
    if (this.last === undefined) this.first = node;
    else this.last.next = node;
    this.last = node;
    this.size += 1;
  }

  /** Only for a node that stands in this list: the links do not say in which list a node is. */
  remove(node: T): void {
    const { previous, next } = node;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    // A removed node must not keep its old neighbours alive.
    node.previous = undefined;
    node.next = undefined;
    this.size -= 1;
  }

  shift(): T | undefined {
    const node = this.first;
    if (node !== undefined) this.remove(node);
    return node;
  }

  pop(): T | undefined {
    const node = this.last;
    if (node !== undefined) this.remove(node);
    return node;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let node = this.first; node !== undefined;) {
      // Taken before the yield: the loop's body may remove the node it was given.
      const next: T | undefined = node.next;
      yield node;
      node = next;
    }
  }
}
