export const SERVICE = 'event_store.client.persistent_subscriptions.PersistentSubscriptions';
