import { StubGateway } from '../fixtures/stub-gateway.js';

let stub: StubGateway;
beforeAll(async () => {
  stub = await StubGateway.start();
});
afterAll(() => stub.stop());

describe('the program', () => {
  it.each([
    [['lst']],
    [['status']],
    [['list', '--foo']],
    [['parked', 'show', 'x']],
    [['agents', 'get']],
    [['event-store', 'user']],
    [['usage', '--by', 'day']],
  ])('ends with 2 and names the help when it is used wrongly: %j', async (words) => {
    const { code, out, err } = await stub.baton(words);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: .*\n[\s\S]*\(baton help shows what there is\)\n$/);
  });

  it('leaves --version to the command that has one', async () => {
    await stub.baton(['agents', 'get', 'profiler', '--version', '3']);
    expect(stub.asked).toEqual([{ what: 'GET /v1/agents/profiler?version=3' }]);
    expect((await stub.baton(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('takes the options of a default command without its name', async () => {
    const none = { total: 0, newest: [] };
    const { code, out } = await stub.baton(['parked', '--json'], { 'GET /v1/parked': none });
    expect([code, JSON.parse(out)]).toEqual([0, none]);
  });
});
