/** The walls between the rooms, as ARCHITECTURE.md draws them. */
const lib = (name) => `^libs/${name}/`;
const spec = '\\.spec\\.ts$';
const vendor = (name, room, packages) => ({
  name: `${name}-behind-one-door`,
  comment: `only libs/${room} (and the tests) may know this package`,
  severity: 'error',
  from: { path: '^(apps|libs|bench|chaos|simulation)/', pathNot: [lib(room), lib('testing'), spec] },
  to: { path: packages.map((p) => `node_modules/${p}/`) },
});
const only = (room, mayImport, comment) => ({
  name: `${room}-imports-little`,
  comment,
  severity: 'error',
  from: { path: lib(room), pathNot: spec },
  to: { path: '^(apps|libs|bench|chaos|simulation)/', pathNot: [room, ...mayImport].map(lib) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    only('contracts', [], 'contracts is the language: it knows no other room'),
    only('domain', ['contracts'], 'decisions are made from values'),
    only('platform', ['contracts', 'domain'], 'the platform knows no service'),
    only('log', ['contracts', 'domain', 'platform'], 'the log never knows the bus'),
    only('bus', ['contracts', 'domain', 'platform'], 'the bus never knows the log'),
    {
      name: 'pure-domain',
      severity: 'error',
      comment: 'no IO, no framework, no clock in the core',
      from: { path: lib('domain'), pathNot: spec },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-peer', 'npm-optional'] },
    },
    {
      name: 'contracts-only-zod',
      severity: 'error',
      from: { path: lib('contracts'), pathNot: spec },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: 'node_modules/zod/' },
    },
    {
      ...vendor('eventstore-client', 'log', ['@eventstore/db-client']),
      from: {
        path: '^(apps|libs|bench|chaos|simulation)/',
        pathNot: [lib('log'), lib('testing'), '^bench/event-store/', '^apps/[^/]+/test/', spec],
      },
    },
    vendor('nats', 'bus', ['nats']),
    vendor('pino', 'platform', ['pino']),
    {
      name: 'anthropic-behind-one-door',
      severity: 'error',
      from: { path: '^(apps|libs|bench|chaos|simulation)/', pathNot: ['^apps/segment-runner/src/model/', spec] },
      to: { path: 'node_modules/@anthropic-ai/' },
    },
    {
      name: 'tools-behind-one-door',
      severity: 'error',
      comment: 'schemas and servers that nobody vouches for are met in one place',
      from: { path: '^(apps|libs)/', pathNot: ['^apps/workspace-manager/'] },
      to: { path: 'node_modules/(@modelcontextprotocol|ajv)/' },
    },
    {
      name: 'apps-never-import-apps',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'bench-stands-outside',
      severity: 'error',
      from: { path: '^(apps|libs)/' },
      to: { path: '^bench/' },
    },
    {
      name: 'simulation-stands-outside',
      severity: 'error',
      from: { path: '^(apps|libs|bench)/' },
      to: { path: '^simulation/' },
    },
    {
      name: 'chaos-stands-outside',
      severity: 'error',
      from: { path: '^(apps|libs|bench|simulation)/' },
      to: { path: '^chaos/' },
    },
    {
      name: 'chaos-judges-by-itself',
      comment: 'a checker that shared code with what it checks would share its errors',
      severity: 'error',
      from: { path: '^chaos/check/', pathNot: spec },
      to: { path: '^(apps|libs|bench|simulation|chaos)/', pathNot: '^chaos/check/' },
    },
    {
      name: 'libs-never-import-apps',
      severity: 'error',
      from: { path: '^libs/', pathNot: lib('testing') },
      to: { path: '^apps/' },
    },
    {
      name: 'through-the-front-door',
      comment: 'another room is entered by its index',
      severity: 'error',
      from: { path: '^(apps|libs|bench|chaos|simulation)/([^/]+)/' },
      to: {
        path: '^libs/[^/]+/src/.+',
        pathNot: ['^libs/[^/]+/src/index\\.ts$', '^libs/bus/src/nest\\.ts$', '^libs/$2/'],
      },
    },
    {
      name: 'testing-only-from-tests',
      severity: 'error',
      from: {
        path: '^(apps|libs|bench|chaos|simulation)/',
        pathNot: [spec, lib('testing'), '^apps/[^/]+/test/'],
      },
      to: { path: lib('testing') },
    },
    { name: 'no-spec-imports', severity: 'error', from: {}, to: { path: spec } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: [spec, '(^|/)main\\.ts$', '^simulation/(worker|self-test)\\.ts$', '\\.d\\.ts$'] },
      to: {},
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      conditionNames: ['baton-src', 'import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.js', '.d.ts'],
    },
  },
};
