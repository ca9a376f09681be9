export {
  asksForTools,
  type Carrier,
  canonical,
  carrierOf,
  doubtNotice,
  offeredTools,
  refusalOf,
  rejected,
  settleItem,
} from './calls.js';
export { type CapUsed, capForbiddingSegments, capReason, capsUsed } from './caps.js';
export { type Context, emptyContext, extendContext, requestMessages } from './context.js';
export { type Beat, DEFAULT_PATIENCE, diagnose, type Patience } from './diagnose.js';
export { evolve, textOf } from './evolve.js';
export { FOLD_VERSION, fromSnapshot, type History, replay, type Snapshot, snapshotOf } from './history.js';
export { tally } from './notices.js';
export { foldRelay, type OpenRun, type RelayNews, turnOf } from './open-runs.js';
export { overdue, type Ring, rung, type Watched, watched } from './overdue.js';
export { type Reconciliation, reconcile, restartBackoffMs } from './reconcile.js';
export { compactionRequest, type TurnRequest, turnRequest } from './request.js';
export {
  currentItem,
  type Item,
  isEnded,
  itemsOf,
  liveSegment,
  type OpenCall,
  openItems,
  type Relay,
  type Run,
} from './run.js';
export { type Act, beginSegment, type Circumstances, isFenced, nextAct, type SegmentEvent } from './segment.js';
export { type Ears, prickUp, silentMs, worthAsking } from './silence.js';
export { capUses, statusOf, summaryOf } from './status.js';
export { type DigestOf, fold, openingEvents, withCalls } from './turn.js';
