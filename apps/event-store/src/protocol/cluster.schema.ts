import { enumeration, message, namespace, service } from './schema.js';

/** Package `event_store.client.server_features`. */
export const serverFeatures = namespace({
  SupportedMethods: message({ methods: 'repeated SupportedMethod 1', eventStoreServerVersion: 'string 2' }),
  SupportedMethod: message({ methodName: 'string 1', serviceName: 'string 2', features: 'repeated string 3' }),
  ServerFeatures: service({ GetSupportedMethods: 'Empty SupportedMethods' }),
});

/** Package `event_store.client.gossip`. */
export const gossip = namespace({
  ClusterInfo: message({ members: 'repeated MemberInfo 1' }),
  EndPoint: message({ address: 'string 1', port: 'uint32 2' }),
  MemberInfo: message(
    {
      instanceId: 'UUID 1',
      timeStamp: 'int64 2',
      state: 'VNodeState 3',
      isAlive: 'bool 4',
      httpEndPoint: 'EndPoint 5',
    },
    {},
    {
      VNodeState: enumeration(
        'Initializing',
        'DiscoverLeader',
        'Unknown',
        'PreReplica',
        'CatchingUp',
        'Clone',
        'Follower',
        'PreLeader',
        'Leader',
        'Manager',
        'ShuttingDown',
        'Shutdown',
        'ReadOnlyLeaderless',
        'PreReadOnlyReplica',
        'ReadOnlyReplica',
        'ResigningLeader',
      ),
    },
  ),
  Gossip: service({ Read: 'Empty ClusterInfo' }),
});
