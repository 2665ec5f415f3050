/**
 * Everything that can be done by a key or from the palette, in one list: views add what they can do while they are
 * shown, and take it back when they go. The key handler, the palette and the `?` sheet read the same entries.
 */
import { SvelteSet } from 'svelte/reactivity';
import type { IconName } from './components/icon-paths';

export type CommandGroup = 'Go to' | 'Actions' | 'List' | 'Task' | 'View';

export interface Command {
  /** Stable: keys can be looked up by it. */
  readonly id: string;
  /** A verb with its object: `Pause payments`. */
  readonly title: string;
  readonly group: CommandGroup;
  /**
   * `g o` (one after the other), `shift+r`, `mod+k` (⌘ on a Mac, Ctrl elsewhere), `escape`, `j`. Several with a comma and a space: `j, arrowdown`.
   */
  readonly keys?: string;
  /** What follows from it, in a sentence; the palette's foot shows it. */
  readonly consequence?: string;
  /** How things stand with its object, at the right in the palette: `5 204 pending`. */
  readonly note?: string;
  readonly icon?: IconName;
  /** Only a key, not listed in the palette: moving in a list. */
  readonly hidden?: boolean;
  /** Why it cannot be done now; null where it can. */
  readonly refusal?: string | null;
  readonly run: () => void;
}

/** A comma alone is a key. */
const ALTERNATIVES = ', ';
/** How long the second key of `g o` may take. */
const SEQUENCE_MS = 1200;

export class Commands {
  readonly #sources = new SvelteSet<() => readonly Command[]>();
  /** The newest source first: a view's key wins over the frame's, and so does what it knows of a command. */
  readonly all = $derived.by((): readonly Command[] => {
    const byId = new Map<string, Command>();
    for (const source of [...this.#sources].reverse())
      for (const command of source()) if (!byId.has(command.id)) byId.set(command.id, command);
    return [...byId.values()];
  });

  /** @returns how to take them back: `$effect(() => commands.add(() => [...]))` */
  add(source: () => readonly Command[]): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  /** @returns the command of these keys, or `prefix` where one begins with them */
  match(pressed: string): Command | 'prefix' | null {
    let begun = false;
    for (const command of this.all) {
      for (const keys of command.keys?.split(ALTERNATIVES) ?? []) {
        if (keys === pressed) return command;
        begun ||= keys.startsWith(`${pressed} `);
      }
    }
    return begun ? 'prefix' : null;
  }
}

const TYPING = 'input:not([type=checkbox],[type=radio],[type=range]), textarea, select, [contenteditable]';
/** Keys that belong to the element that has the focus, where it is one of these. */
const OWN_KEYS = new Set(['enter', 'space', 'arrowup', 'arrowdown', 'arrowleft', 'arrowright', 'tab', 'home', 'end']);
const OPERABLE = 'button, a, summary, input, [role=tab], [role=option], [role=log], [role=tree]';
/** In a field these are of its text. */
const OF_FIELDS = new Set(['mod+z', 'mod+a']);

/** A question lies over the page: nothing behind it is done by a key or from the menu of the desktop. */
export const isAsked = (): boolean => document.querySelector('dialog[open]') !== null;

export interface KeyboardDeps {
  commands: Commands;
  /** Single letters do something; WCAG 2.1.4 wants them to be put off. */
  singleKeys: () => boolean;
  isMac: boolean;
  /** Unix ms. */
  now: () => number;
}

/**
 * Listens on the window and runs commands. Nothing fires while a dialog or a menu is open, which have keys of their own;
 * while somebody types, only what has `mod` in it.
 */
export class Keyboard {
  readonly #deps: KeyboardDeps;
  #begun = '';
  #begunAt = 0;

  constructor(deps: KeyboardDeps) {
    this.#deps = deps;
  }

  readonly onkeydown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || ['Shift', 'Control', 'Meta', 'Alt'].includes(event.key)) return;
    if (isAsked()) return;
    const { commands, singleKeys, now } = this.#deps;
    const stroke = this.#stroke(event);
    const plain = !stroke.includes('mod+') && stroke !== 'escape';
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest('[role=menu]')) return;
    if (plain && !singleKeys()) return;
    const typing = target?.closest(TYPING) ?? null;
    if (typing !== null && (plain || OF_FIELDS.has(stroke))) return;
    if (typing instanceof HTMLElement && stroke === 'escape') {
      typing.blur(); // the field is left first, then what is open
      event.preventDefault();
      return;
    }
    if (OWN_KEYS.has(stroke) && target?.closest(OPERABLE)) return;
    const sequence = this.#begun !== '' && now() - this.#begunAt < SEQUENCE_MS ? `${this.#begun} ${stroke}` : stroke;
    const found = commands.match(sequence) ?? (sequence === stroke ? null : commands.match(stroke));
    this.#begun = '';
    if (found === null) return;
    event.preventDefault();
    if (found === 'prefix') {
      this.#begun = sequence;
      this.#begunAt = now();
    } else if (!found.refusal) found.run();
  };

  #stroke(event: KeyboardEvent): string {
    const mod = this.#deps.isMac ? event.metaKey : event.ctrlKey;
    const key = event.key.toLowerCase();
    // A sign such as ? already has its shift in it; a letter has not.
    const shift = event.shiftKey && (key.length > 1 || /[a-z]/.test(key));
    return `${mod ? 'mod+' : ''}${event.altKey ? 'alt+' : ''}${shift ? 'shift+' : ''}${key === ' ' ? 'space' : key}`;
  }
}

const SIGNS: Record<string, string> = {
  escape: 'Esc',
  enter: 'Enter',
  space: 'Space',
  arrowdown: '↓',
  arrowup: '↑',
  arrowleft: '←',
  arrowright: '→',
  backspace: '⌫',
};

/** `mod+shift+p` as it stands on a key cap: `⌘⇧P` on a Mac, `Ctrl Shift P` elsewhere; the first of several. */
export function keyCaps(keys: string, isMac: boolean): string {
  const first = keys.split(ALTERNATIVES)[0] ?? '';
  return first
    .split(' ')
    .map((stroke) =>
      stroke
        .split('+')
        .map((part) => {
          if (part === 'mod') return isMac ? '⌘' : 'Ctrl';
          if (part === 'shift') return isMac ? '⇧' : 'Shift';
          if (part === 'alt') return isMac ? '⌥' : 'Alt';
          return SIGNS[part] ?? part.toUpperCase();
        })
        .join(isMac ? '' : ' '),
    )
    .join(' ');
}
