import { describe, expect, it } from 'vitest';
import { LineCutter, OutputTail, TAIL_LINES } from '#main/pools/output-tail';

describe('what a pool keeps of the output', () => {
  it('is the newest lines, each cut', () => {
    const tail = new OutputTail();
    for (let i = 0; i < TAIL_LINES + 5; i++) tail.push({ at: i, workerId: 'w', line: `line ${i}` });
    tail.push({ at: 0, workerId: 'w', line: 'x'.repeat(5000) });
    expect(tail.lines).toHaveLength(TAIL_LINES);
    expect(tail.lines.at(0)).toEqual({ at: 6, workerId: 'w', line: 'line 6' });
    expect(tail.lines.at(-1)?.line).toHaveLength(2001);
  });

  it('is cut into lines whatever the chunks are, and a line without an end is cut too', () => {
    const lines: string[] = [];
    const cutter = new LineCutter((line) => lines.push(line), 10);
    for (const chunk of ['a', 'b\r\nc\n', '0123456789AB', '\nrest']) cutter.push(chunk);
    cutter.end();
    expect(lines).toEqual(['ab', 'c', '0123456789', 'AB', 'rest']);
  });
});
