import { ModelSpec, SimulateSpec } from './index.js';

const model = (other: object) => ModelSpec.safeParse({ name: 'm', ...other });
const faultsOf = (result: {
  readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[] }[] } | undefined;
}) => result.error?.issues.map(({ path }) => path.join('.'));

describe('the model of an agent', () => {
  it.each([
    {},
    { thinking: 'adaptive', effort: 'high' },
    { thinking: 'disabled', temperature: 0.5 },
    { thinking: { budgetTokens: 1_024 }, maxTokens: 2_000 },
  ])('may be %j', (other) => {
    expect(faultsOf(model(other))).toBeUndefined();
  });

  it.each([
    [{ thinking: { budgetTokens: 1_023 } }, 'thinking.budgetTokens'],
    [{ thinking: { budgetTokens: 2_000 }, maxTokens: 2_000 }, 'thinking.budgetTokens'],
    [{ thinking: 'adaptive', temperature: 1 }, 'temperature'],
    [{ thinking: 'deep' }, 'thinking'],
    [{ effort: 'huge' }, 'effort'],
  ])('may not be %j', (other, field) => {
    expect(faultsOf(model(other))).toEqual([field]);
  });
});

describe('what the simulator is to play', () => {
  it.each([
    [{ policy: 'script', turns: [] }, 'turns'],
    [{ policy: 'script', turns: [{ texts: [' '] }] }, 'turns.0.texts.0'],
    [{ policy: 'script', turns: [{ calls: [{ tool: 'a b' }] }] }, 'turns.0.calls.0.tool'],
    [{ policy: 'script', turns: [{}], command: 'ls' }, ''],
    [{ policy: 'items', turns: [{}] }, ''],
    [{ policy: 'items', faults: [{ kind: 'overloaded', delayMs: 1 }] }, 'faults.0'],
    [{ policy: 'items', command: 'x'.repeat(200_000) }, ''],
  ])('is refused when a field does not fit: %#', (spec, field) => {
    expect(faultsOf(SimulateSpec.safeParse(spec))).toEqual([field]);
  });

  it('keeps what an agent file said before there were scripts and faults', () => {
    const before = { policy: 'items', command: 'true', callsPerItem: 1, thinkMs: 0 };
    expect(SimulateSpec.parse(before)).toEqual(before);
  });
});
