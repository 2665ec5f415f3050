import { defineScript } from '../script';
import { list, READING, textList } from './lib/pieces';
import lua from './read.lua?raw';

/** Everything of a task that Redis has, undecoded. `record` is empty for an id that is not there. */
export interface RawTask {
  id: string;
  state: string;
  score: number;
  record: string;
  recordBytes: number;
  activeLine: string;
  history: string;
  progress: string;
}

const WIDTH = 8;

export function rawTasks(reply: unknown): RawTask[] {
  const flat = textList(reply);
  const tasks: RawTask[] = [];
  for (let i = 0; i + WIDTH <= flat.length; i += WIDTH) {
    const [id = '', state = '', score = '', record = '', bytes = '', activeLine = '', history = '', progress = ''] =
      flat.slice(i, i + WIDTH);
    tasks.push({ id, state, score: Number(score), record, recordBytes: Number(bytes), activeLine, history, progress });
  }
  return tasks;
}

/** Tasks of one queue by id, in the order asked for. See read.lua. */
export const read = defineScript<{ ids: readonly string[]; previewBytes: number }, RawTask[]>({
  name: 'read',
  lua,
  lib: READING,
  args: ({ ids, previewBytes }) => [previewBytes, ...ids],
  read: (reply) => rawTasks(list(reply)),
});
