import { BUILT_IN_TOOLS, builtInTools, inputSchemaOf } from './index.js';

describe('the declarations of the built-in tools', () => {
  it.each(BUILT_IN_TOOLS)('describe every field of %s to the model', (tool) => {
    const { properties } = inputSchemaOf(builtInTools[tool]) as {
      properties: Record<string, { description?: string }>;
    };
    expect(builtInTools[tool].description).not.toBe('');
    for (const property of Object.values(properties)) expect(property.description).toBeTruthy();
  });

  it('are closed objects, as the Messages API takes them', () => {
    expect(inputSchemaOf(builtInTools.write_file)).toMatchObject({
      type: 'object',
      required: ['path', 'content'],
      additionalProperties: false,
    });
  });

  it('refuse what would be cut off by a NUL character', () => {
    expect(builtInTools.bash.input.safeParse({ command: 'true\0; rm -rf /' }).success).toBe(false);
    expect(builtInTools.read_file.input.safeParse({ path: 'a\0b' }).success).toBe(false);
  });
});
