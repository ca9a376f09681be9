import {
  type ApprovalRule,
  BUILT_IN_TOOLS,
  builtInTools,
  type DiscoveredTool,
  EARLIER_TOOLS,
  type EffectRule,
  type HttpTool,
  inputSchemaOf,
  type Json,
  type ToolDeclaration,
  type ToolEffect,
  type ToolName,
  ToolName as ToolNames,
} from '#contracts';
import type { OpenCall, Run } from './run.js';

/** How a call is carried out: by the workspace, by the log itself (settling an item has no other effect), or by a person. */
export type Carrier = 'workspace' | 'log' | 'person';

export function carrierOf(tool: string): Carrier {
  if (tool === 'ask_human') return 'person';
  return tool === 'complete_item' || tool === 'fail_item' || tool === 'next_item' ? 'log' : 'workspace';
}

/** A tool as the model is shown it. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
}

/** Made once: the same objects every turn, so that their digests can be remembered. */
const declarations = (earlier: { readonly [Name in ToolName]?: ToolDeclaration } = {}): Record<ToolName, OfferedTool> =>
  Object.fromEntries(
    BUILT_IN_TOOLS.map((name) => {
      const declaration = earlier[name] ?? builtInTools[name];
      return [name, { name, description: declaration.description, inputSchema: inputSchemaOf(declaration) }];
    }),
  ) as Record<ToolName, OfferedTool>;

const NEWEST = declarations();
const EARLIER = new Map(Object.entries(EARLIER_TOOLS).map(([words, tools]) => [Number(words), declarations(tools)]));

/**
 * The tools that a run's model is shown, in a fixed order: the built-in ones, those of the agent file, those of MCP
 * servers as they were discovered. A run with items can always settle them.
 */
export function offeredTools(run: Run): readonly OfferedTool[] {
  const { http } = run.agent.spec;
  const fromServers = Object.values(run.servers).flatMap(({ discovery }) =>
    discovery.state === 'ready' ? discovery.tools : [],
  );
  return [
    ...builtInOf(run).map((name) => (EARLIER.get(run.words) ?? NEWEST)[name]),
    ...http.map((tool) => offerOf(tool, tool.input)),
    ...fromServers.map((tool) => offerOf(tool, tool.inputSchema)),
  ];
}

const offers = new WeakMap<HttpTool | DiscoveredTool, OfferedTool>();

/** The same object for the same tool every turn, as of those that are built in. */
function offerOf(tool: HttpTool | DiscoveredTool, inputSchema: OfferedTool['inputSchema']): OfferedTool {
  const known = offers.get(tool);
  if (known) return known;
  const { name, description } = tool;
  const made = { name, description, inputSchema };
  offers.set(tool, made);
  return made;
}

function builtInOf(run: Run): readonly ToolName[] {
  const named = run.agent.spec.tools;
  const settling: ToolName[] = run.items.length > 0 ? ['complete_item', 'fail_item'] : [];
  return [...named, ...settling.filter((tool) => !named.includes(tool))];
}

/** Why a call cannot be started, in a sentence for the model; undefined when its input is right as far as Baton itself can tell. */
export function refusalOf(run: Run, call: Pick<OpenCall, 'tool' | 'input'>): string | undefined {
  const offered = offeredTools(run).map(({ name }) => name);
  if (!offered.includes(call.tool)) {
    return `There is no tool ${JSON.stringify(call.tool)}. The tools are: ${offered.join(', ')}.`;
  }
  const tool = ToolNames.safeParse(call.tool);
  if (!tool.success) return undefined;
  const input = builtInTools[tool.data].input.safeParse(call.input);
  if (input.success) return undefined;
  const faults = input.error.issues.map(({ path, message }) => `${path.join('.') || 'input'}: ${message}`);
  return `The input of ${call.tool} is wrong, and nothing was started. ${faults.join('; ')}.`;
}

/** What a second execution would do, and who is asked when nobody can know whether the first one took effect. */
export interface EffectPolicy {
  readonly effect: ToolEffect;
  readonly inDoubt: 'model' | 'person';
}

/**
 * The model can look for itself what became of a call in its workspace; what a call did to the world outside, a person
 * decides, unless the agent file says otherwise.
 */
export function effectPolicyOf(run: Run, tool: string): EffectPolicy {
  const rule: EffectRule = ruleFor(run.agent.spec.effects, tool) ?? {};
  return {
    effect: rule.effect ?? declaredEffect(run, tool),
    inDoubt: rule.inDoubt ?? (ToolNames.safeParse(tool).success ? 'model' : 'person'),
  };
}

function declaredEffect(run: Run, tool: string): ToolEffect {
  const builtIn = ToolNames.safeParse(tool);
  if (builtIn.success) return builtInTools[builtIn.data].effect;
  const http = httpToolOf(run, tool);
  if (http) return http.effect ?? EFFECT_OF_METHOD[http.method];
  return discoveredTool(run, tool)?.effect ?? 'once';
}

const EFFECT_OF_METHOD: Readonly<Record<HttpTool['method'], ToolEffect>> = {
  GET: 'none',
  HEAD: 'none',
  PUT: 'idempotent',
  DELETE: 'idempotent',
  POST: 'once',
  PATCH: 'once',
};

/** Whether the world can be asked if a call of this tool took effect. */
export const hasProbe = (run: Run, tool: string): boolean => httpToolOf(run, tool)?.probe !== undefined;

const httpToolOf = (run: Run, tool: string): HttpTool | undefined =>
  run.agent.spec.http.find(({ name }) => name === tool);

const discoveredTool = (run: Run, tool: string): DiscoveredTool | undefined =>
  Object.values(run.servers)
    .flatMap(({ tools }) => tools)
    .find(({ name }) => name === tool);

/**
 * Whether only the workspace can tell if the input is right. Before a person is asked about a call it must be asked: nobody
 * should agree to what cannot be run.
 */
export const isCheckedByWorkspace = (tool: string): boolean => !ToolNames.safeParse(tool).success;

/** Whether a person must agree before this call. */
export function needsApproval(run: Run, { tool, input }: Pick<OpenCall, 'tool' | 'input'>): boolean {
  const rule: ApprovalRule | undefined = ruleFor(run.agent.spec.approvals, tool);
  if (rule === undefined || rule === 'never') return false;
  if (rule === 'always') return true;
  return Object.entries(rule.when).some(([field, pattern]) => new RegExp(pattern, 'u').test(asText(input[field])));
}

const asText = (value: Json | undefined): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

/** The first rule whose name fits; `*` at its end stands for any rest. */
function ruleFor<Rule>(rules: Readonly<Record<string, Rule>>, tool: string): Rule | undefined {
  const fits = (name: string): boolean => (name.endsWith('*') ? tool.startsWith(name.slice(0, -1)) : name === tool);
  return Object.entries(rules).find(([name]) => fits(name))?.[1];
}
