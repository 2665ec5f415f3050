/** Which parts of a JSON text are open, and the lines that follow from it. No I/O. */
import { childrenOf, type JsonNode, rootOf } from './json-outline';

export interface TreeLine {
  readonly node: JsonNode;
  readonly keys: readonly (string | number)[];
  readonly depth: number;
  /** Null where there is nothing to open. */
  readonly open: boolean | null;
}

/** Parts up to this many characters are open from the start. */
const OPEN_CHARS = 2000;

export class PayloadTree {
  readonly text: string;
  readonly root: JsonNode;
  /** `from` of what is open. */
  #open = $state.raw<ReadonlySet<number>>(new Set());
  readonly #children = new Map<number, readonly JsonNode[]>();
  readonly lines = $derived.by(() => {
    const lines: TreeLine[] = [];
    this.#push(lines, this.root, [], this.#open);
    return lines;
  });

  constructor(text: string) {
    this.text = text;
    this.root = rootOf(text);
    this.#open = text.length <= OPEN_CHARS ? new Set(this.#containers(this.root)) : new Set();
  }

  childrenOf(node: JsonNode): readonly JsonNode[] {
    const known = this.#children.get(node.from);
    if (known !== undefined) return known;
    const children = childrenOf(this.text, node);
    this.#children.set(node.from, children);
    return children;
  }

  toggle(node: JsonNode): void {
    const open = new Set(this.#open);
    if (!open.delete(node.from)) open.add(node.from);
    this.#open = open;
  }

  #containers(node: JsonNode): number[] {
    const inner = this.childrenOf(node).flatMap((child) => this.#containers(child));
    return node.kind === 'object' || node.kind === 'array' ? [node.from, ...inner] : inner;
  }

  #push(lines: TreeLine[], node: JsonNode, keys: readonly (string | number)[], open: ReadonlySet<number>): void {
    for (const child of this.childrenOf(node)) {
      const own = [...keys, child.key ?? ''];
      const holds = (child.kind === 'object' || child.kind === 'array') && child.to - child.from > 2;
      const isOpen = holds ? open.has(child.from) : null;
      lines.push({ node: child, keys: own, depth: keys.length, open: isOpen });
      if (isOpen) this.#push(lines, child, own, open);
    }
  }
}
