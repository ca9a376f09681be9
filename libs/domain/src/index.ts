export { entered, type Ledger, openLedger } from './account.js';
export { specFaults } from './agent-faults.js';
export { canonical, neverBegun } from './calls.js';
export {
  type CapUsed,
  capsUsed,
  forgottenAt,
  minutesEndAt,
  reserveFault,
  shownBytes,
} from './caps.js';
export { type Context, emptyContext, hasNewMedia, requestMessages } from './context.js';
export { activityMsOf, type Beat, DEFAULT_PATIENCE, diagnose, type Patience } from './diagnose.js';
export {
  type Append,
  check,
  judgeAppend,
  judgeBus,
  judgeDisk,
  judgeGateway,
  judgeKey,
  judgeLog,
  judgeMirror,
  judgeParked,
  judgeTaking,
  type KeyPlace,
  type Measured,
  type Mirroring,
  type Parking,
  type Taking,
  type Trips,
  worst,
} from './doctor.js';
export {
  type Capped,
  judgeCaps,
  judgeKept,
  judgeRebuilding,
  judgeTruth,
  judgeUntended,
  judgeWaiting,
  type Kept,
  type Rebuilding,
  type Truth,
  type Untended,
  type Waiting,
} from './doctor-runs.js';
export {
  judgeClocks,
  judgeKeeper,
  judgeNoticing,
  judgeServices,
  judgeVersions,
  type Noticing,
  type Present,
  type Skew,
} from './doctor-services.js';
export { abandonedEvents, doubtEvents, type Found } from './doubt.js';
export { type Effect, effectsOf, effectTotals } from './effects.js';
export { evolve, textOf } from './evolve.js';
export { FOLD_VERSION, fromSnapshot, givenBy, type History, replay, type Snapshot, snapshotOf } from './history.js';
export { inTime } from './in-time.js';
export { shownBlocks, tooMuchToShow } from './media.js';
export { costOf, isFree, mostOf, priceOf } from './money.js';
export { namedBlobs } from './named-blobs.js';
export { count, tally } from './notices.js';
export { type Carrier, carrierOf, effectPolicyOf, hasProbe, refusalOf } from './offered-tools.js';
export { foldRelay, OPEN_RUNS_VERSION, type OpenRun, type RelayNews, type Turn, turnOf } from './open-runs.js';
export { overdue, type Ring, rung, type Watched, watched } from './overdue.js';
export { type Reconciliation, reconcile, restartBackoffMs } from './reconcile.js';
export { recordable, recordableSummary } from './recordable.js';
export { type Around, reportOf } from './report.js';
export { compactionRequest, type TurnRequest, turnRequest } from './request.js';
export {
  callsDue,
  currentItem,
  type Item,
  isEnded,
  itemsOf,
  liveSegment,
  type OpenCall,
  pendingQuestions,
  type Question,
  type Relay,
  type Run,
} from './run.js';
export { type Act, beginSegment, type Circumstances, isFenced, nextAct, type SegmentEvent } from './segment.js';
export { serverEvents, serverOf } from './servers.js';
export { type Ears, isLate, prickUp, silentMs, worthAsking } from './silence.js';
export { capUses, statusOf, summaryOf } from './status.js';
export { type Checked, callsToCheck, type DigestOf, fold, interruptedCalls, openingEvents, withCalls } from './turn.js';
export {
  type Message,
  questionAbout,
  type Refusal,
  type Wished,
  type Wisher,
  wishApprove,
  wishCancel,
  wishCaps,
  wishDeny,
  wishMessage,
  wishPause,
  wishResume,
} from './wishes.js';
