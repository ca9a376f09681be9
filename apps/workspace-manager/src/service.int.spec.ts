import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { z } from 'zod';
import { Bus } from '#bus';
import { CallId, OpenWorkspace, ReadJournal, RunCall, WorkspaceHere, workspaceSubject } from '#contracts';
import { silentLogger } from '#platform';
import { startNats, type TestNats, until } from '#testing';
import { aRun, aSpec, PATH, Rig } from '../test/rig.js';
import { WorkspaceManagerConfig } from './config.js';
import { WorkspaceManagerModule } from './workspace-manager.module.js';

describe('the workspace-manager on the bus', () => {
  const rig = new Rig();
  let nats: TestNats;

  beforeAll(async () => {
    nats = await startNats();
  });
  afterAll(async () => {
    await nats.stop();
    await rig.close();
  });

  it('says that it is here, answers what is asked, tells its problems with their codes, and lets waiting callers go when it stops', async () => {
    const { url } = nats;
    const within = { timeoutMs: 20_000 };
    const config = WorkspaceManagerConfig.parse({ BATON_DATA: join(rig.folder, 'data'), BATON_BUS_URL: url, PATH });
    const client = await Bus.connect({ url, name: 'client', logger: silentLogger });
    const here: string[] = [];
    client.listen(`${WorkspaceHere.subject}.*`, WorkspaceHere.body, (word) => void here.push(word.holder));
    await client.ask('baton.nobody', {}, z.unknown(), within).catch(() => undefined);
    const bus = await Bus.connect({ url, name: 'workspace-manager', logger: silentLogger });
    const app = await NestFactory.createApplicationContext(
      WorkspaceManagerModule.in({ config, logger: silentLogger, bus, log: rig.log }),
      { logger: false },
    );
    await app.init();
    const ask = { runId: aRun(), segment: 2 };
    const opening = { ...ask, spec: aSpec(), files: [] };
    // The server may hear the question before it hears that somebody answers: these are two connections.
    const open = () => client.ask(OpenWorkspace.subject, opening, OpenWorkspace.answer, within);
    const { holder, created } = await until(open);
    expect(created).toBe(true);
    expect(here).toEqual([holder]);

    const run = (callId: string, command: string, segment = 2) => {
      const body = { ...ask, segment, callId: CallId.parse(callId), tool: 'bash', input: { command } };
      const limits = { limitMs: 60_000, outputBytes: 1_000, waitMs: 60_000 };
      return client.ask(workspaceSubject(holder, RunCall.verb), { ...body, ...limits }, RunCall.answer, within);
    };
    expect(await run('1-0', 'echo hello')).toMatchObject({ state: 'finished', content: [{ text: 'hello\n' }] });
    await expect(run('1-1', 'true', 1)).rejects.toMatchObject({ code: 'fenced', remedy: 'stand-down' });
    const journal = await client.ask(workspaceSubject(holder, ReadJournal.verb), ask, ReadJournal.answer, within);
    expect(journal.calls).toMatchObject([{ callId: '1-0', executions: 1, state: 'finished' }]);

    const waiting = run('2-0', 'sleep 20');
    await run('2-1', 'true');
    await app.close();
    expect(await waiting).toMatchObject({ state: 'running' });
    await client.close();
  });
});
