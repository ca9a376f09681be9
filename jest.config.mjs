const shared = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['baton-src', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  resolver: '<rootDir>/jest.resolver.cjs',
  setupFiles: ['<rootDir>/jest.setup.mjs'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.baton/', '<rootDir>/.tools/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
      },
    ],
  },
};

/**
 * The suffix of a test file tells its cost: `*.spec.ts` needs nothing, `*.int.spec.ts` starts real servers,
 * `*.e2e.spec.ts` starts whole clusters from the build.
 * @type {import('jest').Config}
 */
export default {
  testTimeout: 60_000,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/chaos', '<rootDir>/simulation'],
      testRegex: '(?<!\\.int|\\.e2e)\\.spec\\.ts$',
    },
    {
      ...shared,
      displayName: 'int',
      roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/simulation'],
      testRegex: '\\.int\\.spec\\.ts$',
    },
    { ...shared, displayName: 'e2e', roots: ['<rootDir>/test'], testRegex: '\\.e2e\\.spec\\.ts$' },
  ],
};
