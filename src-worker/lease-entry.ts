/** Program of the lease thread (out/main/lease-thread.js); see src-worker/lease-thread.ts. */
import { connectForWorker } from './engine-connection';
import { runLeaseThread } from './lease-thread';

void runLeaseThread(connectForWorker);
