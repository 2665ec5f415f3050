/** A stack as it is read: own frames in sight, those of libraries folded. Pure. */
export interface StackFrame {
  readonly name: string;
  /** `handlers/charge.ts:47` */
  readonly place: string;
  readonly raw: string;
}

export type StackPart =
  | { readonly kind: 'own'; readonly frame: StackFrame }
  | { readonly kind: 'library'; readonly frames: readonly StackFrame[]; readonly packages: readonly string[] };

const FRAME =
  /^\s*at (?:(?:async )?(.*?) \()?((?:file:\/\/|node:|[A-Za-z]:[\\/]|\/|\.)[^)]*?|<anonymous>|native|[^()\s]+:\d+)\)?$/;
const PLACE_PARTS = 2;

/** @param stack with or without the message in front; lines that are no frame are left to the message */
export function readStack(stack: string): StackPart[] {
  const parts: StackPart[] = [];
  for (const raw of stack.split('\n')) {
    const found = FRAME.exec(raw);
    if (found === null) continue;
    const location = (found[2] ?? '').replace(/^file:\/\//, '');
    const frame: StackFrame = {
      name: (found[1] ?? '').replace(/^Object\./, ''),
      place: shortPlace(location),
      raw: raw.trim(),
    };
    const library = packageOf(location);
    const last = parts.at(-1);
    if (library === null) parts.push({ kind: 'own', frame });
    else if (last?.kind !== 'library') parts.push({ kind: 'library', frames: [frame], packages: [library] });
    else
      parts[parts.length - 1] = {
        kind: 'library',
        frames: [...last.frames, frame],
        packages: last.packages.includes(library) ? last.packages : [...last.packages, library],
      };
  }
  return parts;
}

/** This program as it is built, around the handler. */
const OWN = /[\\/]out[\\/]main[\\/][^\\/]+\.js:/;

function packageOf(location: string): string | null {
  if (OWN.test(location)) return 'millrace';
  if (location.startsWith('node:internal') || location === 'native' || location === '<anonymous>') return 'node';
  if (location.startsWith('node:')) return location.slice(0, location.indexOf(':', 5)).replace(/\/.*$/, '') || 'node';
  const inside = location.replaceAll('\\', '/').split('/node_modules/').at(-1);
  if (inside === undefined || !location.includes('node_modules')) return null;
  const [scope = '', name = ''] = inside.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

/** The last two parts of a path with its line, without the column. */
const shortPlace = (location: string): string =>
  location
    .replace(/:(\d+):\d+$/, ':$1')
    .replaceAll('\\', '/')
    .split('/')
    .slice(-PLACE_PARTS)
    .join('/');
