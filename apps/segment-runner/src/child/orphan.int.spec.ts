import { fork } from 'node:child_process';
import { once } from 'node:events';

/* From the build, as supervisors start it. */
const CHILD = 'dist/apps/segment-runner/src/child/main.js';

describe('a child whose supervisor goes while it starts', () => {
  it('ends although it has not found the bus', async () => {
    const env = { ...process.env, BATON_BUS_URL: 'nats://127.0.0.1:1', BATON_LOG_LEVEL: 'warn' };
    const child = fork(CHILD, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const exited = once(child, 'exit');
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text: Buffer) => (said += text.toString()));
    while (!said.includes('the bus is not there yet')) {
      await Promise.race([...[child.stdout, child.stderr].map((stream) => stream && once(stream, 'data')), exited]);
      expect(child.exitCode).toBeNull();
    }
    child.disconnect();
    expect((await exited)[0]).toBe(0);
  });
});
