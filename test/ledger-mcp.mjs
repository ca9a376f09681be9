import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

/*
 * A little MCP server that needs nothing but Node: `stdio` (in a workspace) or `http PORT` (JSON answers, no sessions). In
 * the folder where it runs it keeps `mcp-begun` and `mcp-ledger`, a line at the begin and one at the end of each effect,
 * which waits in between for the file `mcp-gate-<entry>`.
 */
const entry = { type: 'object', properties: { entry: { type: 'string' } }, required: ['entry'] };
const said = (text) => ({ content: [{ type: 'text', text }] });

const tools = {
  enter: {
    inputSchema: entry,
    run: async ({ entry: name }) => {
      appendFileSync('mcp-begun', `${name}\n`);
      while (!existsSync(`mcp-gate-${name}`)) await new Promise((resolve) => setTimeout(resolve, 50));
      appendFileSync('mcp-ledger', `${name}\n`);
      return said(`entered ${name}`);
    },
  },
  look: { inputSchema: { type: 'object' }, annotations: { readOnlyHint: true }, run: () => said('it is there') },
  fall: { inputSchema: { type: 'object' }, annotations: { readOnlyHint: true }, run: () => process.exit(3) },
};

const methods = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion,
    capabilities: { tools: {} },
    serverInfo: { name: 'ledger', version: '1' },
  }),
  'tools/list': () => ({
    tools: Object.entries(tools).map(([name, { inputSchema, annotations }]) => ({ name, inputSchema, annotations })),
  }),
  'tools/call': ({ name, arguments: input }) => tools[name].run(input),
};

/** The answer to a message; none to a notification. */
async function answered(line) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return undefined;
  const run = methods[method];
  const outcome = run ? { result: await run(params ?? {}) } : { error: { code: -32_601, message: 'unknown method' } };
  return JSON.stringify({ jsonrpc: '2.0', id, ...outcome });
}

async function overHttp(request, response) {
  if (request.method !== 'POST') return response.writeHead(405).end();
  let body = '';
  for await (const piece of request) body += piece;
  const answer = await answered(body);
  return response.writeHead(answer === undefined ? 202 : 200, { 'content-type': 'application/json' }).end(answer);
}

async function overStdio(line) {
  const answer = await answered(line);
  if (answer !== undefined) process.stdout.write(`${answer}\n`);
}

if (process.argv[2] === 'http') {
  const listener = createServer((request, response) => void overHttp(request, response));
  listener.listen(Number(process.argv[3]), '127.0.0.1', () => process.stdout.write('ready\n'));
} else {
  createInterface(process.stdin).on('line', (line) => void overStdio(line));
}
