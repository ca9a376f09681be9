import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { CallId } from '#contracts';
import { aRun } from '../../test/rig.js';
import { Journal } from './journal.js';

describe('a journal that is closed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'baton-journal-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has written what was asked before, and refuses what comes after, so that it is asked again', async () => {
    const call = { runId: aRun(), callId: CallId.parse('1-0'), attempt: 1 };
    const start = { ...call, segment: 1, tool: 'bash', inputDigest: '', limitMs: 1, outputBytes: 1, startedAt: 1 };
    const journal = Journal.open(join(folder, 'journal'));
    const before = journal.started({ ...start, bootId: 'b' });
    journal.close();
    await before;
    const after = journal.unknown(call, 'It came too late.', 1, 2);
    await expect(after).rejects.toMatchObject({ code: 'unavailable', remedy: 'retry' });
    // A commit that was still due would come now.
    await turn();
  });
});
