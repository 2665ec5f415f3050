/**
 * The small language of computed fields: `price * quantity`, `round(total / 3, 2)`, `first + ' ' + last`.
 *
 * Numbers, text in quotes, field names (in brackets where they hold other characters: `[unit price]`),
 * + - * / % with the usual precedence, parentheses, and a few functions. An expression is parsed once into a closure;
 * nothing of it is ever evaluated as code. Where an operand is missing or no number, the result is null.
 */
import { FatalError } from '../../handler';
import { cellText, fieldReader, type Row, toNumber } from '../records/row';

export const MAX_EXPRESSION = 500;

type Expression = (row: Row) => unknown;
type Token = { kind: 'number' | 'text' | 'field' | 'symbol'; value: string; at: number };

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|'([^']*)'|"([^"]*)"|\[([^\]]+)\]|([\p{L}_$][\p{L}\p{N}_$.]*)|([-+*/%(),]))/uy;

const numeric = (apply: (value: number) => number) => (args: readonly unknown[]) => {
  const value = toNumber(args[0]);
  return value === null ? null : finite(apply(value));
};

const FUNCTIONS: Record<string, (args: readonly unknown[]) => unknown> = {
  abs: numeric(Math.abs),
  floor: numeric(Math.floor),
  ceil: numeric(Math.ceil),
  round: ([value, digits]) => {
    const number = toNumber(value);
    const factor = 10 ** Math.min(Math.max(Math.trunc(toNumber(digits) ?? 0), 0), 15);
    // 1.005 * 100 is a hair less than 100.5; the nudge by one unit in the last place rounds it as it is written
    return number === null ? null : finite(Math.round(number * factor * (1 + Number.EPSILON)) / factor);
  },
  lower: ([value]) => cellText(value).toLowerCase(),
  upper: ([value]) => cellText(value).toUpperCase(),
  trim: ([value]) => cellText(value).trim(),
  length: ([value]) => (Array.isArray(value) ? value.length : cellText(value).length),
};

/** @throws FatalError that shows the place of the first fault */
export function compileExpression(source: string): Expression {
  const tokens = tokenize(source);
  let next = 0;

  const fail = (what: string): FatalError => new FatalError(`the expression ${JSON.stringify(source)} ${what}`);
  const peek = (): Token | undefined => tokens[next];
  const takeSymbol = (...symbols: string[]): string | null => {
    const token = peek();
    if (token?.kind !== 'symbol' || !symbols.includes(token.value)) return null;
    next++;
    return token.value;
  };
  const expect = (symbol: string): void => {
    if (takeSymbol(symbol) === null) throw fail(`lacks a ${symbol} at ${peek()?.at ?? source.length}`);
  };

  const chain = (operand: () => Expression, ...symbols: string[]): Expression => {
    let left = operand();
    for (let symbol = takeSymbol(...symbols); symbol !== null; symbol = takeSymbol(...symbols)) {
      left = binary(symbol, left, operand());
    }
    return left;
  };
  const sum = (): Expression => chain(product, '+', '-');
  const product = (): Expression => chain(unary, '*', '/', '%');
  const unary = (): Expression => {
    if (takeSymbol('-') === null) return primary();
    return binary('-', () => 0, unary());
  };
  const primary = (): Expression => {
    const token = peek();
    if (token === undefined) throw fail('ends too early');
    if (takeSymbol('(') !== null) {
      const inner = sum();
      expect(')');
      return inner;
    }
    next++;
    if (token.kind === 'number') return constant(Number(token.value));
    if (token.kind === 'text') return constant(token.value);
    if (token.kind === 'symbol') throw fail(`has an unexpected ${token.value} at ${token.at}`);
    return takeSymbol('(') === null ? fieldReader(token.value) : call(token.value);
  };
  const call = (name: string): Expression => {
    const apply = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (apply === undefined) throw fail(`calls ${name}, which is not one of ${Object.keys(FUNCTIONS).join(', ')}`);
    const args: Expression[] = [sum()];
    while (takeSymbol(',') !== null) args.push(sum());
    expect(')');
    return (row) => apply(args.map((arg) => arg(row)));
  };

  function tokenize(text: string): Token[] {
    const found: Token[] = [];
    const matcher = new RegExp(TOKEN);
    while (text.slice(matcher.lastIndex).trim() !== '') {
      const at = matcher.lastIndex;
      const match = matcher.exec(text);
      if (match === null) throw new FatalError(`the expression ${JSON.stringify(text)} cannot be read at ${at}`);
      const [, number, single, double, bracketed, name, symbol] = match;
      if (number !== undefined) found.push({ kind: 'number', value: number, at });
      else if (symbol !== undefined) found.push({ kind: 'symbol', value: symbol, at });
      else if (single !== undefined || double !== undefined)
        found.push({ kind: 'text', value: single ?? double ?? '', at });
      else found.push({ kind: 'field', value: bracketed ?? name ?? '', at });
    }
    return found;
  }

  const expression = sum();
  const rest = peek();
  if (rest !== undefined) throw fail(`has an unexpected ${rest.value} at ${rest.at}`);
  return expression;
}

const constant =
  (value: unknown): Expression =>
  () =>
    value;
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** `+` joins text where both sides are not numbers and one is text; all else is arithmetic. */
function binary(symbol: string, left: Expression, right: Expression): Expression {
  return (row) => {
    const a = left(row);
    const b = right(row);
    const x = toNumber(a);
    const y = toNumber(b);
    if (symbol === '+' && (x === null || y === null) && (typeof a === 'string' || typeof b === 'string'))
      return cellText(a) + cellText(b);
    if (x === null || y === null) return null;
    return finite(calculate(symbol, x, y));
  };
}

function calculate(symbol: string, x: number, y: number): number {
  if (symbol === '+') return x + y;
  if (symbol === '-') return x - y;
  if (symbol === '*') return x * y;
  return symbol === '/' ? x / y : x % y;
}
