import { testShard } from './shard';

testShard(1);
