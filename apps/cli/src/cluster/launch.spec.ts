import { environmentOf } from './launch.js';
import type { ServiceSpec } from './service-spec.js';

describe('the environment of a service', () => {
  const spec = (more: Partial<ServiceSpec> = {}): ServiceSpec => ({
    name: 'any',
    program: { kind: 'node', module: 'main.js' },
    env: { BATON_DATA: '/data/any' },
    needs: [],
    stopGroup: 0,
    ...more,
  });
  const variables = { PATH: '/bin', BATON_SECRET_TOKEN: 's3cret', BATON_SECRETS_DIR: '/run/secrets' };

  it('holds no secret of an agent', () => {
    expect(environmentOf(spec(), variables)).toEqual({ PATH: '/bin', BATON_DATA: '/data/any' });
  });

  it('holds them all for the service that resolves them, with a folder for others', () => {
    const resolving = spec({ secretsFolder: '/data/secrets' });
    expect(environmentOf(resolving, variables)).toEqual({ ...variables, BATON_DATA: '/data/any' });
    expect(environmentOf(resolving, {})['BATON_SECRETS_DIR']).toBe('/data/secrets');
  });
});
