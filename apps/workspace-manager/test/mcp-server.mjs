import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

/**
 * An MCP server for tests: `stdio` (in the workspace), `http` (prints its port), or `sessions`: over HTTP with sessions in
 * its memory, and `resumable`: with sessions, and streams that can be asked for again. Some of its tools are hostile.
 */
const object = (properties = {}, more = {}) => ({ type: 'object', properties, ...more });
const text = (words) => ({ content: [{ type: 'text', text: words }] });
const FORGOTTEN = JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32_001, message: 'Session not found' } });
const never = new Promise(() => undefined);

const tools = {
  echo: {
    inputSchema: object({ text: { type: 'string', pattern: '^[a-z ]+$' } }, { required: ['text'] }),
    annotations: { readOnlyHint: true },
    run: ({ text: words }) => text(words),
  },
  'count.up': {
    inputSchema: object({ file: { type: 'string' } }),
    run: ({ file }) => {
      appendFileSync(file, 'counted\n');
      return text('counted');
    },
  },
  'count-and-hang': {
    inputSchema: object({ file: { type: 'string' } }),
    run: ({ file }) => {
      appendFileSync(file, 'counted\n');
      return never;
    },
  },
  put: { inputSchema: object(), annotations: { idempotentHint: true }, run: () => text('put') },
  hang: { inputSchema: object(), annotations: { readOnlyHint: true }, run: () => never },
  die: { inputSchema: object(), run: () => process.exit(3) },
  fail: { inputSchema: object(), run: () => ({ ...text('it is broken'), isError: true }) },
  reveal: {
    inputSchema: object(),
    run: (_, { requestInfo }) => text(`env ${process.env.TOKEN} header ${requestInfo?.headers?.['x-token']}`),
  },
  picture: {
    inputSchema: object(),
    run: () => ({ content: [{ type: 'image', mimeType: 'image/png', data: 'AAAA' }] }),
  },
  scan: {
    inputSchema: object(),
    run: () => ({
      content: [
        { type: 'text', text: 'two pages' },
        {
          type: 'image',
          mimeType: 'image/jpeg',
          data: Buffer.from('\x89PNG\r\n\x1a\n...', 'latin1').toString('base64'),
        },
        {
          type: 'resource',
          resource: { uri: 'file:///a.pdf', blob: Buffer.from('%PDF-1.7 ...').toString('base64') },
        },
      ],
    }),
  },
  flood: {
    inputSchema: object(),
    run: () => {
      const line = 'x'.repeat(1_000_000);
      const more = () => process.stdout.write(line, more);
      more();
      return never;
    },
  },
  backtrack: {
    inputSchema: object({ text: { type: 'string', pattern: '^(a+)+$' } }),
    run: () => text('matched'),
  },
  'a-name-that-is-much-too-long-for-any-model-and-has-to-be-cut-somewhere': {
    inputSchema: object(),
    run: () => text('cut'),
  },
};

function server() {
  const made = new McpServer({ name: 'test', version: '1' }, { capabilities: { tools: {} } });
  made.server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [
      ...Object.entries(tools).map(([name, { inputSchema, annotations }]) => ({
        name,
        description: `The tool ${name}.`,
        inputSchema,
        annotations,
      })),
      { name: 'rubbish', inputSchema: object({ x: { $ref: '#/nowhere' } }) },
    ],
  }));
  made.server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
    tools[params.name].run(params.arguments, extra),
  );
  return made;
}

const [, , mode, port = '0'] = process.argv;
if (mode !== 'stdio') {
  const { StreamableHTTPServerTransport } = await import('@modelcontextprotocol/sdk/server/streamableHttp.js');
  const { InMemoryEventStore } = await import('@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js');
  const sessions = new Map();
  const anew = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: mode === 'http' ? undefined : randomUUID,
      ...(mode === 'resumable' && { eventStore: new InMemoryEventStore() }),
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server().connect(transport);
    return transport;
  };
  const answer = async (request, response) => {
    if (request.url === '/sessions') return response.end(JSON.stringify([...sessions.keys()]));
    const named = request.headers['mcp-session-id'];
    const transport = named === undefined ? await anew() : sessions.get(named);
    if (transport !== undefined) return transport.handleRequest(request, response);
    return response.writeHead(404, { 'content-type': 'application/json' }).end(FORGOTTEN);
  };
  const listener = createServer((request, response) => void answer(request, response));
  listener.listen(Number(port), '127.0.0.1', () => process.stdout.write(`${listener.address().port}\n`));
} else {
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js');
  process.stdout.write('hello, I print what I like\n');
  await server().connect(new StdioServerTransport());
}
