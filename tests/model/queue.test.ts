import { testRows } from './rows';

testRows(1);
