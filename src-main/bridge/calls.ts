/** What a call of the bridge is: the schemas of its arguments and of its reply, both checked in the main process. */
import { z } from 'zod';

export interface BridgeCall {
  /** A tuple: the arguments in their order. */
  args: z.ZodTuple;
  /** `z.void()` for a call that only does something. */
  reply: z.ZodType;
}
export type BridgeCalls = Readonly<Record<string, BridgeCall>>;

/** As the page calls them: named functions, each a promise. */
export type CallFunctions<Calls extends BridgeCalls> = {
  readonly [Name in keyof Calls]: (...args: z.input<Calls[Name]['args']>) => Promise<z.output<Calls[Name]['reply']>>;
};

/** As the main process answers them; `Caller` is the window that asks. A call that is missing does not compile. */
export type CallHandlers<Calls extends BridgeCalls, Caller> = {
  readonly [Name in keyof Calls]: (
    caller: Caller,
    ...args: z.output<Calls[Name]['args']>
  ) => Promise<z.input<Calls[Name]['reply']>> | z.input<Calls[Name]['reply']>;
};

/** What comes back over IPC: Electron hands on only the text of an error, so a failure is a reply like any other. */
export const CallOutcome = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type CallOutcome = z.infer<typeof CallOutcome>;
