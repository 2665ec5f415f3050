/** The worker program that pools fork (out/main/worker.js): configuration from its environment, exit code from `runWorker`. */
import { join } from 'node:path';
import { toTaskSpec } from '#queue/engine/task-spec';
import { systemEnvironment, takeConfig } from './config';
import { connectForWorker } from './engine-connection';
import { builtInHandlers } from './handlers/built-in';
import { runWorker } from './run-worker';

async function main(): Promise<void> {
  const environment = systemEnvironment();
  const code = await runWorker(takeConfig(environment), {
    connect: connectForWorker,
    toTaskSpec,
    builtIns: builtInHandlers,
    leaseThread: join(__dirname, 'lease-thread.js'),
    environment,
  });
  process.exit(code); // handlers may have left timers and sockets behind
}

void main();
