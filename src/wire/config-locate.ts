/** Where in a YAML document something stands. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair } from "yaml";
import type { ConfigPath } from "./config-secrecy.ts";

/** Offset in the text of the value at `path`; of the nearest thing around it when it is absent. */
export function offsetOfValue(document: Document, path: ConfigPath): number {
  let offset = startOf(document.contents) ?? 0;
  let node: unknown = document.contents;
  for (const part of path) {
    const child = childAt(document, node, part);
    if (child === undefined) break;
    offset = startOf(child.node) ?? startOf(child.key) ?? offset;
    node = child.node;
  }
  return offset;
}

/** Offset of the key itself in the map at `parent`. */
export function offsetOfKey(document: Document, parent: ConfigPath, key: string): number {
  let node: unknown = document.contents;
  for (const part of parent) node = childAt(document, node, part)?.node;
  return startOf(childAt(document, node, key)?.key) ?? offsetOfValue(document, parent);
}

function childAt(
  document: Document,
  parent: unknown,
  part: string | number,
): { readonly key: unknown; readonly node: unknown } | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isSeq(node)) return { key: undefined, node: node.items[Number(part)] };
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => keyText(item) === String(part));
  return pair === undefined ? undefined : { key: pair.key, node: pair.value };
}

/** The key as `toJS` writes it; undefined where it is a collection, which only a refused document has. */
export const keyText = (pair: Pair): string | undefined =>
  isScalar(pair.key) ? String(pair.key.value) : undefined;

function startOf(node: unknown): number | undefined {
  if (isPair(node)) return startOf(node.key);
  return (node as Node | null | undefined)?.range?.[0];
}
