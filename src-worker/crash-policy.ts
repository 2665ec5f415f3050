/**
 * What happens when code throws where nobody catches. An exception that can be traced to a task fails that task, and
 * the process lives. One that cannot leaves the process in a state that nobody knows: the worker hands back its tasks
 * and ends. A promise that nobody awaited is not that grave: it is logged.
 */
import type { Log } from '#queue/kernel/log';

export interface CrashPolicy {
  log: Log;
  /** @returns true where the exception was traced to a task */
  blame: (error: unknown) => boolean;
  /** The process has to end. */
  onFatal: (error: unknown) => void;
}

/** @returns how to take the policy back */
export function installCrashPolicy({ log, blame, onFatal }: CrashPolicy): () => void {
  const rejected = (reason: unknown) => {
    if (!blame(reason)) log.error('a promise was rejected and nobody handled it', { error: reason });
  };
  const thrown = (error: unknown) => {
    if (blame(error)) return;
    log.error('an exception was not caught: the worker ends', { error });
    onFatal(error);
  };
  process.on('unhandledRejection', rejected);
  process.on('uncaughtException', thrown);
  return () => {
    process.off('unhandledRejection', rejected);
    process.off('uncaughtException', thrown);
  };
}
