import { existsSync, readFileSync } from 'node:fs';
import { aSpec, Bench, finished, Rig } from '../test/rig.js';

describe('the tools of a workspace', () => {
  const rig = new Rig();
  let bench: Bench;

  beforeAll(async () => {
    bench = await new Bench(await rig.manager()).open(
      aSpec(),
      await rig.seed({ 'data/a.txt': 'one\ntwo\nthree\n', 'run.sh': 'echo ran\n' }),
    );
  });
  afterAll(() => rig.close());

  it('run a command among the seeded files, with output and errors in order', async () => {
    const state = await bench.bash('pwd; wc -l data/a.txt; echo oops >&2; ./run.sh; id -u; echo $HOME');
    console.log(finished(state));
  });
});
