import { describeStoreContract } from './contract.ts'
import { mysqlFixture } from './mysql-fixture.ts'

describeStoreContract('the MySQL store', (agreement) => mysqlFixture({ agreement }))
