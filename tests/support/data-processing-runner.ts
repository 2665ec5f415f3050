/**
 * A program for one test: runs data_processing on the folder and the payload in its arguments, and prints the result
 * with the most memory that the process had. The test bundles it, and starts it with a small heap.
 */
import { createDataProcessingHandler, DataProcessingPayload } from '#worker/handlers/data-processing';
import { createBuiltInConfig, createContext } from './handler-context';

const [folder = '', payload = '{}'] = process.argv.slice(2);

async function main(): Promise<void> {
  const { context } = createContext(DataProcessingPayload.parse(JSON.parse(payload)), { folder });
  const handler = createDataProcessingHandler(createBuiltInConfig(folder));
  const result = await handler.run({ ...context, progress: async () => undefined });
  process.stdout.write(JSON.stringify({ maxRssMib: process.resourceUsage().maxRSS / 1024, result }));
}

void main();
