import { Refusal, Status } from '../grpc/refusal.js';

const refused =
  (status: Status, exception: string, text: (stream: string, group: string) => string) =>
  (stream: string, group: string) =>
    new Refusal(status, text(stream, group), { exception, 'stream-name': stream, 'group-name': group });

/** The errors of persistent subscriptions, in the words of EventStoreDB. */
export const groupMissing = refused(
  Status.NOT_FOUND,
  'persistent-subscription-does-not-exist',
  (stream, group) => `Subscription group ${group} on stream ${stream} does not exist.`,
);

export const groupExists = refused(
  Status.ALREADY_EXISTS,
  'persistent-subscription-exists',
  (stream, group) => `Subscription group ${group} on stream ${stream} exists.`,
);

export const groupDropped = refused(
  Status.CANCELLED,
  'persistent-subscription-dropped',
  (stream, group) => `Subscription group ${group} on stream ${stream} was dropped.`,
);

export const tooManySubscribers = refused(
  Status.FAILED_PRECONDITION,
  'maximum-subscribers-reached',
  (stream, group) => `Maximum subscriptions reached for subscription group ${group} on stream ${stream}.`,
);

export function groupFailed(stream: string, group: string, reason: string): Refusal {
  return new Refusal(Status.INTERNAL, `Subscription group ${group} on stream ${stream} failed: '${reason}'`, {
    exception: 'persistent-subscription-failed',
    'stream-name': stream,
    'group-name': group,
    reason,
  });
}
