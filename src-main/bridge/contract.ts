/**
 * The bridge between a window and the desktop around it: one total map of the calls, and of the events that come the
 * other way. It carries only what needs the desktop; tasks and queues go over the API, as in any browser. Every call
 * is checked twice in the main process: who asks (the frame's origin), and what (these schemas).
 *
 * In a page it is `window.millrace`, and undefined in a browser. A call that fails rejects with a sentence for people.
 */
import { z } from 'zod';
import type { BridgeCalls, CallFunctions } from './calls';
import { ProfileId, ProfileName, type ProfilesApi } from './profiles-contract';

export const Theme = z.enum(['light', 'dark', 'system']);

const nothing = z.void();

export const CALLS = {
  /** Of Millrace. */
  version: { args: z.tuple([]), reply: z.string() },
  /** The start page, or the queue of one target; a page asks before it draws its frame. */
  windowKind: { args: z.tuple([]), reply: z.enum(['start', 'console']) },
  /** Bearer token of the API that this window talks to; null where it needs none. Never in a URL. */
  token: { args: z.tuple([]), reply: z.string().nullable() },
  /** The frame and menus of the system follow the page's theme. */
  setTheme: { args: z.tuple([Theme]), reply: nothing },
  /** The path of a file that the user picks, for settings that name one; null when the dialog was closed. */
  pickFile: { args: z.tuple([]), reply: z.string().nullable() },
  /** For the menu of a console: names, and no addresses. */
  profileNames: { args: z.tuple([]), reply: z.array(ProfileName) },
  /** Opens the start page, or brings it to the front; with an id, it connects there to that profile. */
  switchProfile: { args: z.tuple([ProfileId.nullable()]), reply: nothing },
} as const satisfies BridgeCalls;
export type AppCalls = typeof CALLS;

/** What a menu asks of the page: ids of the page's own commands. */
export const MenuCommand = z.enum(['palette', 'inspector', 'shortcuts', 'time', 'back', 'forward']);
export type MenuCommand = z.infer<typeof MenuCommand>;

/** From the main process to the page. Going to a screen (`#/tasks`) is no event: the preload sets the hash. */
export const EVENTS = {
  command: MenuCommand,
} as const satisfies Record<string, z.ZodType>;
export type EventName = keyof typeof EVENTS;
export type EventValue<Name extends EventName> = z.infer<(typeof EVENTS)[Name]>;

/** `window.millrace`. */
export interface Bridge extends CallFunctions<AppCalls> {
  /** Answered on the start page only. */
  readonly profiles: ProfilesApi;
  /** @returns ends it */
  on<Name extends EventName>(name: Name, listener: (value: EventValue<Name>) => void): () => void;
}
