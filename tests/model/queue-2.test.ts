import { testRows } from './rows';

testRows(2);
