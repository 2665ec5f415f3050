/**
 * Registers calls of the bridge: the one way in from a page. A call is answered only for the top frame of a window
 * that we made, showing the page that we gave it; its arguments are what the contract says, or it never reaches us.
 */
import type { IpcMainInvokeEvent } from 'electron';
import { z } from 'zod';
import type { Log } from '#queue/kernel/log';
import type { BridgeCalls, CallHandlers, CallOutcome } from '../bridge/calls';

/** A refusal that the page may show: its message is a sentence for people. */
export class BridgeRefusal extends Error {
  override readonly name = 'BridgeRefusal';
}

/** The part of Electron's `ipcMain` that is needed. */
export interface CallRegistry {
  handle(channel: string, answer: (event: IpcMainInvokeEvent, ...args: unknown[]) => Promise<unknown>): void;
}

export interface RegisterOptions<Caller> {
  registry: CallRegistry;
  /** `app:`, `profiles:`: the channel is this and the name of the call. */
  prefix: string;
  /** The window that asks; null for a frame that may not. */
  callerOf: (event: IpcMainInvokeEvent) => Caller | null;
  log: Log;
}

export function registerCalls<Calls extends BridgeCalls, Caller>(
  calls: Calls,
  handlers: CallHandlers<Calls, Caller>,
  { registry, prefix, callerOf, log }: RegisterOptions<Caller>,
): void {
  for (const [name, { args, reply }] of Object.entries(calls)) {
    const handler = handlers[name] as (caller: Caller, ...given: unknown[]) => unknown;
    registry.handle(`${prefix}${name}`, async (event, ...given): Promise<CallOutcome> => {
      const caller = callerOf(event);
      if (caller === null) {
        log.warn('a call of the bridge was refused: it comes from a foreign frame', { call: name });
        return { ok: false, message: 'this page may not call the desktop' };
      }
      const parsed = args.safeParse(given);
      if (!parsed.success) return { ok: false, message: `${name}: ${z.prettifyError(parsed.error)}` };
      try {
        return { ok: true, value: reply.parse(await handler(caller, ...parsed.data)) };
      } catch (error) {
        if (error instanceof BridgeRefusal) return { ok: false, message: error.message };
        log.error('a call of the bridge failed', { call: name, error });
        return { ok: false, message: `${name} failed: ${error instanceof Error ? error.message : String(error)}` };
      }
    });
  }
}
