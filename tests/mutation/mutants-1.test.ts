import { testShard } from './shard';

testShard(0);
