/**
 * From text to terms. What cannot be read is told with its place, and nothing is dropped: a query with an error has no
 * terms to run. Pure.
 */
import { FIELD_NAMES, type FieldName, TASK_ID, type Term } from './fields';

export interface PlacedTerm extends Term {
  /** Characters of the text, `to` exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface QueryError {
  readonly from: number;
  readonly to: number;
  /** A sentence. */
  readonly message: string;
}

export interface ParsedQuery {
  readonly terms: readonly PlacedTerm[];
  readonly errors: readonly QueryError[];
}

interface Token {
  from: number;
  to: number;
  /** Before the colon; null for text. */
  key: string | null;
  value: string;
  quoted: boolean;
  /** A quote has no end. */
  open: boolean;
}

export function parseQuery(text: string): ParsedQuery {
  const terms: PlacedTerm[] = [];
  const errors: QueryError[] = [];
  const refuse = ({ from, to }: Token, message: string) => errors.push({ from, to, message });
  let words: PlacedTerm | undefined; // bare words that follow each other are one phrase
  for (const token of tokensOf(text)) {
    const { from, to, key, value } = token;
    const before = words;
    words = undefined;
    if (token.open) refuse(token, 'The quote is not closed.');
    else if (key === null) {
      if (!token.quoted && TASK_ID.test(value))
        terms.push({ field: 'id', path: '', value: value.toUpperCase(), from, to });
      else if (value === '') refuse(token, 'There is nothing between the quotes.');
      else if (before !== undefined && !token.quoted) {
        words = { ...before, value: `${before.value} ${value}`, to };
        terms[terms.length - 1] = words;
      } else {
        const term: PlacedTerm = { field: 'text', path: '', value, from, to };
        terms.push(term);
        if (!token.quoted) words = term;
      }
    } else {
      const field = fieldOf(key);
      if (field === null) refuse(token, `${key} is not a field. Put "${key}:${value}" in quotes to search for it.`);
      else if (key === 'payload') refuse(token, 'Name the place in the payload: payload.order.id:1234.');
      else if (value === '') refuse(token, `${key}: has no value.`);
      else
        terms.push({
          field,
          path: field === 'payload' ? key.slice('payload.'.length) : '',
          value: field === 'id' ? value.toUpperCase() : value,
          from,
          to,
        });
    }
  }
  return { terms, errors };
}

function fieldOf(key: string): FieldName | null {
  if (key.startsWith('payload.')) return 'payload';
  return FIELD_NAMES.find((name) => name === key) ?? null;
}

const KEY = /[A-Za-z_][^\s":]*:/y;

function* tokensOf(text: string): Generator<Token> {
  for (let at = 0; ; ) {
    while (/\s/.test(text[at] ?? '')) at++;
    if (at >= text.length) return;
    const from = at;
    KEY.lastIndex = at;
    const key = KEY.exec(text)?.[0].slice(0, -1) ?? null;
    if (key !== null) at += key.length + 1;
    if (text[at] === '"') {
      const { value, end } = readQuoted(text, at);
      at = end ?? text.length;
      yield { from, to: at, key, value, quoted: true, open: end === null };
    } else {
      const start = at;
      while (at < text.length && !/\s/.test(text[at] ?? '')) at++;
      yield { from, to: at, key, value: text.slice(start, at), quoted: false, open: false };
    }
  }
}

/** @returns `end` behind the closing quote, null where there is none */
function readQuoted(text: string, from: number): { value: string; end: number | null } {
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '"') return { value, end: at + 1 };
    if (char === '\\' && at + 1 < text.length) value += text[++at];
    else value += char;
  }
  return { value, end: null };
}
