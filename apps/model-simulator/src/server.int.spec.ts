import { SimulateSpec } from '#contracts';
import { type Simulator, startSimulator } from './start.js';

const simulate = JSON.stringify(SimulateSpec.parse({ policy: 'items' }));
const headers = { 'x-api-key': 'k', 'anthropic-version': '2026-10-21', 'baton-simulate': simulate };
const body = JSON.stringify({ model: 'm', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] });

describe('the model simulator over HTTP', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.stop());
  const post = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${simulator.url}${path}`, { method: 'POST', headers, body, ...init });

  it('answers with a message', async () => {
    const response = await post('/v1/messages?beta=true');
    expect(response.status).toBe(200);
    expect(response.headers.get('request-id')).toMatch(/^req_/);
    expect(await response.json()).toMatchObject({
      type: 'message',
      stop_reason: 'end_turn',
      content: [{ type: 'text' }],
    });
  });

  it('thinks before it answers without streaming, too', async () => {
    const startedAt = performance.now();
    const response = await post('/v1/messages', {
      headers: { ...headers, 'baton-simulate': '{"policy":"items","thinkMs":150}' },
    });
    expect(await response.json()).toMatchObject({ type: 'message' });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(145);
  });

  it('reads long commands', async () => {
    const long = JSON.stringify({ policy: 'items', command: 'x'.repeat(100_000) });
    expect((await post('/v1/messages', { headers: { ...headers, 'baton-simulate': long } })).status).toBe(200);
  });

  it('counts tokens without being told what to play', async () => {
    const { 'baton-simulate': _, ...others } = headers;
    const counted = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x'.repeat(400) }] });
    const response = await post('/v1/messages/count_tokens', { headers: others, body: counted });
    expect(await response.json()).toEqual({ input_tokens: 100 });
  });

  it.each<[number, string, string, RequestInit]>([
    [400, 'invalid_request_error', '/v1/messages', { body: '{' }],
    [400, 'invalid_request_error', '/v1/messages', { headers: { ...headers, 'baton-simulate': '' } }],
    [401, 'authentication_error', '/v1/messages', { headers: { ...headers, 'x-api-key': '' } }],
    [404, 'not_found_error', '/v1/complete', {}],
    [405, 'invalid_request_error', '/v1/messages', { method: 'PUT' }],
    [413, 'request_too_large', '/v1/messages', { body: 'x'.repeat(33 * 1024 * 1024) }],
  ])("answers %i %s in the API's shape", async (status, type, path, init) => {
    const response = await post(path, init);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type, message: expect.stringMatching(/\S/) as string },
      request_id: response.headers.get('request-id'),
    });
  });

  it('goes on when a caller goes away in the middle of a turn', async () => {
    const slow = {
      headers: { ...headers, 'baton-simulate': '{"policy":"items","thinkMs":60000}' },
      body: body.replace('{', '{"stream":true,'),
    };
    const abort = new AbortController();
    const response = await post('/v1/messages', { ...slow, signal: abort.signal });
    abort.abort();
    await expect(response.text()).rejects.toThrow(/abort/);
    expect((await post('/v1/messages')).status).toBe(200);
  });
});
