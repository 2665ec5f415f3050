/** The task types that come with Millrace, as `runWorker` takes them. */
import { builtInHandlers } from './handlers/built-in';
import type { WorkerRuntime } from './run-worker';

export const builtIns: WorkerRuntime['builtIns'] = builtInHandlers;
