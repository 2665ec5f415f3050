/**
 * Counts the words of a text and keeps the whole list as a file of the task.
 *
 *   millrace submit word_count --payload '{"text":"to be or not to be","top":2}' --wait
 */
import { defineHandler, FatalError, z } from 'millrace';

export default defineHandler({
  type: 'word_count',
  description: 'Counts the words of a text',
  payload: z.object({
    text: z.string().max(200_000),
    top: z.number().int().min(1).max(100).default(10).describe('So many of the most frequent words'),
  }),
  timeout: 30,
  async run({ payload, progress, log, artifacts }) {
    const words = payload.text.toLowerCase().match(/\p{L}+/gu) ?? [];
    // No retry can mend a text without words: straight to the dead-letter queue.
    if (words.length === 0) throw new FatalError('the text has no words');

    const counts = new Map<string, number>();
    for (const [index, word] of words.entries()) {
      counts.set(word, (counts.get(word) ?? 0) + 1);
      // Reports as often as it likes: only the newest value travels. Rejects once the task is cancelled or timed out.
      if (index % 1000 === 0) await progress((90 * index) / words.length, 'counting');
    }

    const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    log.info('counted', { words: words.length, different: counts.size });
    await artifacts.write('words.csv', `word,count\n${sorted.map((row) => row.join(',')).join('\n')}\n`);
    await progress(100, 'done');
    return { words: words.length, different: counts.size, top: Object.fromEntries(sorted.slice(0, payload.top)) };
  },
});
