import { describe, expect, it } from 'vitest';
import { claimOne, failure, submitOne, workOnce } from '../support/engine';
import { engineOfFile } from '../support/engine-of-file';

const { connected } = await engineOfFile();

const read = async (id: string) => (await connected.reader.getTasks([id], { full: true }))[0];
const said = 'line one\nline | two; 100 %';

describe('what the handler said last', () => {
  it('stays with a completed task, and its result is as it was', async () => {
    const id = await submitOne(connected);
    const { token } = await claimOne(connected);
    const result = '{"lines":"a\\nb"}';
    await workOnce(connected, { want: 0, settles: [{ kind: 'complete', id, token, result, progressMessage: said }] });
    expect(await read(id)).toMatchObject({ result, progress: 100, progressMessage: said });
  });

  it('stays with a retrying and with a failed task', async () => {
    const id = await submitOne(connected);
    const first = await claimOne(connected);
    const error = { ...failure(), progress: 40, progressMessage: said };
    await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'fail', id, token: first.token, retryInMs: 0, error }],
    });
    expect(await read(id)).toMatchObject({ status: 'retrying', progress: 40, progressMessage: said });
    const { token } = await claimOne(connected);
    expect(await read(id)).toMatchObject({ status: 'processing', progress: 0, progressMessage: null });
    await workOnce(connected, { want: 0, settles: [{ kind: 'dead', id, token, error }] });
    expect(await read(id)).toMatchObject({ status: 'failed', progress: 40, progressMessage: said });
  });

  it('stays with a cancelled task', async () => {
    const id = await submitOne(connected);
    const { token } = await claimOne(connected);
    await workOnce(connected, {
      want: 0,
      settles: [{ kind: 'cancelled', id, token, reason: 'enough', progress: 70, progressMessage: said }],
    });
    expect(await read(id)).toMatchObject({ status: 'cancelled', progress: 70, progressMessage: said });
    expect((await connected.reader.history(id))?.at(-1)).toMatchObject({ event: 'cancelled', detail: 'enough' });
  });

  it('is null where it said nothing', async () => {
    const id = await submitOne(connected);
    const { token } = await claimOne(connected);
    await workOnce(connected, { want: 0, settles: [{ kind: 'complete', id, token, result: '1' }] });
    expect(await read(id)).toMatchObject({ result: '1', progressMessage: null });
  });
});
