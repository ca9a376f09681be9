import type { Handler } from '../../grpc/handlers.js';
import type { Groups } from '../../persistent/groups.js';
import type { Store } from '../sink.js';
import { read } from './consume.js';
import { getInfo, list } from './info.js';
import { create, remove, replayParked, restartSubsystem, update } from './manage.js';
import { SERVICE } from './service.js';

/** The methods of the service by their paths. */
export function persistentSubscriptions(store: Store, groups: Groups): readonly (readonly [string, Handler])[] {
  return [
    [`/${SERVICE}/Create`, create(store, groups)],
    [`/${SERVICE}/Update`, update(store, groups)],
    [`/${SERVICE}/Delete`, remove(store, groups)],
    [`/${SERVICE}/Read`, read(store, groups)],
    [`/${SERVICE}/GetInfo`, getInfo(store, groups)],
    [`/${SERVICE}/ReplayParked`, replayParked(store, groups)],
    [`/${SERVICE}/List`, list(store, groups)],
    [`/${SERVICE}/RestartSubsystem`, restartSubsystem(store, groups)],
  ];
}
