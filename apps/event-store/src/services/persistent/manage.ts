import { type Handler, unary } from '../../grpc/handlers.js';
import { invalid } from '../../grpc/refusal.js';
import type { GroupDefinition } from '../../persistent/definition.js';
import type { Groups } from '../../persistent/groups.js';
import { methodOf } from '../../protocol/codec.js';
import type { Store } from '../sink.js';
import { NOTHING, type Nothing } from '../wire.js';
import { definitionOf, groupOf, type WireDefinition, type WireGroup } from './options.js';
import { SERVICE } from './service.js';

interface Request<Options> {
  readonly options?: Options;
}

type Change = (definition: GroupDefinition, by: string) => Promise<void>;

function define(store: Store, name: 'Create' | 'Update', change: Change): Handler {
  return unary(methodOf<Request<WireDefinition>, object>(SERVICE, name), async ({ options }, { caller }) => {
    store.access.requireOperator(caller);
    if (!options) throw invalid('The request has no options.');
    await change(definitionOf(store, options), caller.name);
    return NOTHING;
  });
}

export const create = (store: Store, groups: Groups): Handler =>
  define(store, 'Create', (definition, by) => groups.create(definition, by));

export const update = (store: Store, groups: Groups): Handler =>
  define(store, 'Update', (definition, by) => groups.update(definition, by));

export const remove = (store: Store, groups: Groups): Handler =>
  unary(methodOf<Request<WireGroup>, object>(SERVICE, 'Delete'), async ({ options = {} }, { caller }) => {
    store.access.requireOperator(caller);
    const { stream, group } = groupOf(options);
    await groups.delete(stream, group, caller.name);
    return NOTHING;
  });

interface WireReplay extends WireGroup {
  readonly stopAtOption?: 'stopAt' | 'noLimit';
  readonly stopAt?: string;
}

export const replayParked = (store: Store, groups: Groups): Handler =>
  unary(methodOf<Request<WireReplay>, object>(SERVICE, 'ReplayParked'), ({ options = {} }, { caller }) => {
    store.access.requireOperator(caller);
    const { stream, group } = groupOf(options);
    const { stopAt } = options;
    if (Number(stopAt ?? 0) < 0) throw invalid(`stopAt is ${stopAt}: it cannot be negative.`);
    groups.get(stream, group).replayParked(stopAt === undefined ? undefined : Number(stopAt));
    return NOTHING;
  });

export const restartSubsystem = (store: Store, groups: Groups): Handler =>
  unary(methodOf<Nothing, object>(SERVICE, 'RestartSubsystem'), async (_, { caller }) => {
    store.access.requireOperator(caller);
    await groups.restart();
    return NOTHING;
  });
