export type { Answering, AnswerOptions, AskOptions, Heard } from './ask.js';
export { Bus, type ConsumeOptions, type ConsumerState } from './bus.js';
export type { ConnectionSettings } from './connection.js';
export type { Consuming } from './consume.js';
export { type BodyOf, subjectOf } from './contract.js';
export type { Arrival, Handle } from './deliver.js';
export { type Doorbell, Doorbells, type Place } from './doorbells.js';
export type { Patience } from './durable.js';
export {
  AnswerTimedOut,
  MessageTooLarge,
  NoResponders,
  NotReplayable,
  RemoteProblem,
  UnreadableMessage,
  WrongLastSequence,
} from './errors.js';
export type { Parked, ParkReason } from './park.js';
export type { Listening } from './plain.js';
export { answerPresence } from './presence.js';
export type { Headers, Published, PublishOptions, StoredMessage } from './publish.js';
export { replayParked } from './replay.js';
export type { StrayConsumer, Strays } from './strays.js';
export { PARKED_STREAM, WORK_STREAM } from './streams.js';
