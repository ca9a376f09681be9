import { aSpec, Bench, finished, Rig } from '../test/rig.js';

describe('the room that a workspace may take', () => {
  const rig = new Rig();
  afterAll(() => rig.close());

  it('is kept by files and commands, and a full workspace can be emptied', async () => {
    const bench = await new Bench(await rig.manager()).open(aSpec({ diskMb: 8 }));
    expect(finished(await bench.call('write_file', { path: 'a', content: 'a'.repeat(3_000_000) })).outcome).toBe('ok');
    const single = finished(await bench.bash('head -c 20000000 /dev/zero >large; echo $?'));
    expect(single.text).toMatch(/^(?:.*File size limit exceeded.*\n)?153\n/s);
    await bench.bash('rm large');

    const many = finished(
      await bench.bash('i=0; while :; do i=$((i+1)); head -c 1000000 /dev/zero >f$i; sleep 0.1; done'),
    );
    expect(many).toMatchObject({ outcome: 'error', text: expect.stringContaining('holds more than the 8 MiB') });

    const refused = finished(await bench.call('write_file', { path: 'b', content: 'b' }));
    expect(refused).toMatchObject({ outcome: 'error', text: expect.stringMatching(/is full: [\d.]+ of 8 MiB/) });
    const edit = { path: 'a', old_text: 'x', new_text: 'xy' };
    expect(finished(await bench.call('edit_file', edit)).text).toContain('Remove files first');
    expect(finished(await bench.bash('echo more >>c; echo $?')).text).not.toBe('0\n');

    expect(finished(await bench.bash('rm f*; ls')).outcome).toBe('ok');
    expect(finished(await bench.call('write_file', { path: 'b', content: 'b' })).outcome).toBe('ok');
    expect(finished(await bench.bash('echo more >c; cat c')).text).toBe('more\n');
  });

  it('is taken by empty files too', async () => {
    const bench = await new Bench(await rig.manager('other')).open(aSpec({ diskMb: 1 }));
    await bench.bash('mkdir d; cd d; for i in $(seq 1200); do : >$i; done');
    expect(finished(await bench.call('write_file', { path: 'b', content: 'b' })).text).toContain('is full');
  });
});
