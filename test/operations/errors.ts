/**
 * The error tables of KMIP 1.4 (§11), row by row: which test has it. What it is: a line for each condition of
 * tools/specification/errors.json, with what is given in the outcome table of the operation, with the test elsewhere that has
 * it, or with the reason why it cannot happen here. What it is not: the tests, which stand with each operation.
 */

/** Where a condition is tested: a row of the operation's own outcome table by what is given, a test elsewhere, or nowhere, and why. */
export type Coverage = string | { readonly path: string; readonly title: string } | { readonly never: string }

const elsewhere = (path: string, title: string): Coverage => ({ path, title })
const never = (why: string): Coverage => ({ never: why })

const noAttestation = never('no operation of this server demands attestation, and Query names no Attestation Type')
const noWrappingSpecification = never(
  'the request of this operation has no Key Wrapping Specification; Get and Export have the row',
)

/** Coverage by operation and condition, as the specification prints them. */
export const errorCoverage: Readonly<Record<string, Readonly<Record<string, Coverage>>>> = {
  General: {
    'Protocol major version mismatch': elsewhere('server/dispatch.test.ts', 'another major version'),
    'Error parsing batch item or payload within batch item': elsewhere(
      'server/dispatch.test.ts',
      'a payload that cannot be read fails its item alone',
    ),
    'The same field is contained in a header/batch item/payload more than once': elsewhere(
      'server/dispatch.test.ts',
      'a header field twice',
    ),
    'Same major version, different minor versions; unknown fields/fields the server does not understand': elsewhere(
      'server/dispatch.test.ts',
      'a newer minor version is answered in the newest that is known, its fields passed over',
    ),
    'Same major & minor version, unknown field': elsewhere('server/dispatch.test.ts', 'an unknown header field'),
    'Client is not allowed to perform the specified operation': elsewhere(
      'server/dispatch-isolation.test.ts',
      'another user’s object is neither read nor changed, and stays as it is',
    ),
    'Maximum Response Size has been exceeded': elsewhere(
      'server/dispatch.test.ts',
      'of an answer that is larger nothing is done, and every item says so',
    ),
    'Server does not support operation': elsewhere(
      'server/dispatch.test.ts',
      'an operation that the server does not have fails its item, whatever its payload',
    ),
    'The Criticality Indicator in a Message Extension structure is set to True, but the server does not understand the extension':
      elsewhere('server/dispatch.test.ts', 'a critical Message Extension'),
    'Message cannot be parsed': elsewhere('server/dispatch.test.ts', 'no message'),
    'Operation requires attestation data which was not provided by the client, and the client has set the Attestation Capable indicator to True':
      noAttestation,
    'Operation requires attestation data which was not provided by the client, and the client has set the Attestation Capable indicator to False':
      noAttestation,
    'Operation requires attestation data and the attestation data provided by the client does not validate':
      noAttestation,
  },
  Create: {
    'Object Type is not recognized': 'an Object Type that is not recognized',
    'Templates that do not exist are given in request': 'a Template that does not exist',
    'Incorrect attribute value(s) specified': 'a length that the algorithm does not have',
    'Error creating cryptographic object': 'the key cannot be made',
    'Trying to set more instances than the server supports of an attribute that MAY have multiple instances':
      'more instances than the server supports',
    'Trying to create a new object with the same Name attribute value as an existing object':
      'the Name of another object',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data left to the server',
    'Template object is archived': 'an archived Template',
  },
  'Create Key Pair': {
    'Templates that do not exist are given in request': 'a Template that does not exist',
    'Incorrect attribute value(s) specified': 'a curve that is not recognized',
    'Error creating cryptographic object': 'the keys cannot be made',
    'Trying to create a new object with the same Name attribute value as an existing object':
      'the Name of another object',
    'Trying to set more instances than the server supports of an attribute that MAY have multiple instances':
      'more instances than the server supports',
    'REQUIRED field(s) missing': 'nothing at all',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data left to the server',
    'Template object is archived': 'an archived Template',
  },
  Register: {
    'Object Type is not recognized': 'an Object Type that is not recognized',
    'Object Type does not match type of cryptographic object provided': 'an object of another type',
    'Templates that do not exist are given in request': 'a Template that does not exist',
    'Incorrect attribute value(s) specified': 'an attribute of other Object Types',
    'Trying to register a new Template object containing a Name attribute with the Template structure':
      'a Template with a Name inside',
    'Trying to register a new object with the same Name attribute value as an existing object':
      'the Name of another object',
    'Trying to set more instances than the server supports of an attribute that MAY have multiple instances':
      'more instances than the server supports',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data left to the server',
    'Template object is archived': 'an archived Template',
    'Encoding Option not permitted when Key Wrapping Specification contains attribute names': noWrappingSpecification,
    'Key Format Type is PKCS#12, but missing or multiple PKCS#12 Password Links': elsewhere(
      'operations/pkcs12.test.ts',
      'with two PKCS#12 Password Links',
    ),
    'Key Format Type is PKCS#12, but PKCS#12 Password Link does not contain the Unique Identifier of a Secret Data object or the Secret Data Type is not Password.':
      elsewhere('operations/pkcs12.test.ts', 'Secret Data that is no password'),
  },
  'Re-key': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be re-keyed': 'a key that is not symmetric',
    'Offset field is not permitted to be specified at the same time as any of the Activation Date, Process Start Date, Protect Stop Date, or Deactivation Date attributes':
      'an Offset beside a date',
    'Cryptographic error during re-key': 'a library that fails',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data that the server would have to make',
    'Object is archived': 'the object is archived',
    'An offset cannot be used to specify new Process Start, Protect Stop and/or Deactivation Date attribute values since no Activation Date has been specified for the existing key':
      'an Offset, and dates of the existing key without an Activation Date',
    'The Key Value is not present on the server': 'the key value is kept elsewhere',
  },
  'Re-key Key Pair': {
    'No object with the specified Unique Identifier exists': 'no such key',
    'Object specified is not able to be re-keyed': 'a symmetric key',
    'Offset field is not permitted to be specified at the same time as any of the Activation Date or Deactivation Date attributes':
      'an Offset beside a date',
    'Cryptographic error during re-key': 'a library that fails',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data that the server would have to make',
    'Object is archived': 'the private key is archived',
    'An offset cannot be used to specify new Process Start, Protect Stop and/or Deactivation Date attribute values since no Activation Date has been specified for the existing key':
      'an Offset, and dates of the existing keys without an Activation Date',
    'The Key Value is not present on the server': 'a key value that is kept elsewhere',
  },
  'Derive Key': {
    'One or more of the objects specified do not exist': 'no object has the identifier',
    'One or more of the objects specified are not of the correct type':
      'an object of a type that nothing is derived from',
    'Templates that do not exist are given in request': 'a Template that does not exist',
    'Invalid Derivation Method': 'a method that nobody has',
    'Invalid Derivation Parameters': 'no Hashing Algorithm',
    'Ambiguous derivation data provided both with Derivation Data and Secret Data object.':
      'derivation data given twice',
    'Incorrect attribute value(s) specified': 'a length that AES has not',
    'One or more of the specified objects are not able to be used to derive a new key':
      'a base without the Derive Key bit',
    'Trying to derive a new key with the same Name attribute value as an existing object':
      'a Name that another object has',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'an Application Namespace without data',
    'One or more of the objects is archived': 'an object that is archived',
    'The specified length exceeds the output of the derivation method or other cryptographic error during derivation.':
      'a length that exceeds the digest',
    'The Key Value is not present on the server': 'a base whose value is not here',
  },
  Certify: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be certified': 'a symmetric key',
    'The Certificate Request does not contain a signed certificate request of the specified Certificate Request Type':
      'bytes that are no request',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data that the server would have to make',
    'Object is archived': 'the object is archived',
  },
  'Re-certify': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be certified': 'a key',
    'The Certificate Request does not contain a signed certificate request of the specified Certificate Request Type':
      'bytes that are no request',
    'Offset field is not permitted to be specified at the same time as any of the Activation Date or Deactivation Date attributes':
      'an Offset beside a date',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data that the server would have to make',
    'Object is archived': 'the object is archived',
  },
  Locate: {
    'Non-existing attributes, attributes that the server does not understand or templates that do not exist are given in the request':
      'an attribute that nobody knows',
  },
  Check: {
    'Object does not exist': 'no object has the identifier',
    'Object is archived': 'the object is archived',
    'Check cannot be performed on this object': 'a Template',
    'The client is not allowed to use the object according to the specified attributes':
      'a use that the mask does not allow',
  },
  Get: {
    'Object does not exist': 'no object has the identifier',
    'Wrapping key does not exist': elsewhere('operations/key-wrapping.test.ts', 'the wrapping key does not exist'),
    'Object with Encryption Key Information exists, but it is not a key': elsewhere(
      'operations/key-wrapping.test.ts',
      'what wraps is not a key',
    ),
    'Object with Encryption Key Information exists, but it is not able to be used for wrapping': elsewhere(
      'operations/key-wrapping.test.ts',
      'no Wrap Key bit',
    ),
    'Object with MAC/Signature Key Information exists, but it is not a key': elsewhere(
      'operations/key-wrapping.test.ts',
      'the MAC key is not a key',
    ),
    'Object with MAC/Signature Key Information exists, but it is not able to be used for MACing/signing': elsewhere(
      'operations/key-wrapping.test.ts',
      'the MAC key does not have the MAC Generate bit',
    ),
    'Object exists but cannot be provided in the desired Key Format Type and/or Key Compression Type':
      'a format that is not for the key',
    'Object exists and is not a Template, but the server only has attributes for this object': 'a destroyed object',
    'Cryptographic Parameters associated with the object do not exist or do not match those provided in the Encryption Key Information and/or Signature Key Information':
      elsewhere('operations/key-wrapping.test.ts', 'parameters that the wrapping key does not have'),
    'Object is archived': 'the object is archived',
    'Object exists but cannot be provided in the desired Encoding Option': elsewhere(
      'operations/key-wrapping.test.ts',
      'a structure without TTLV Encoding',
    ),
    'Encoding Option not permitted when Key Wrapping Specification contains attribute names': elsewhere(
      'operations/key-wrapping.test.ts',
      'attributes without TTLV Encoding',
    ),
    'Key Wrap Type is not supported by the server.': 'a Key Wrap Type of nobody',
    'Object is Sensitive': 'a sensitive object',
    'Object is not Extractable': 'an object that is not extractable',
  },
  'Get Attributes': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'The same Attribute Name is present more than once': 'the same name twice',
    'Object is archived': 'the object is archived',
  },
  'Get Attribute List': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object is archived': 'the object is archived',
  },
  'Add Attribute': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Attempt to add a read-only attribute': 'read-only, with an index',
    'Attempt to add an attribute that is not supported for this object': 'not for this Object Type',
    'The specified attribute already exists': 'a single instance that is there',
    'New attribute contains Attribute Index': 'an index',
    'Trying to add a Name attribute with the same value that another object already has': 'the Name of another object',
    'Trying to add a new instance to an attribute with multiple instances but the server limit on instances has been reached':
      'one instance too many',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data left to the server',
    'Object is archived': 'the object is archived',
  },
  'Modify Attribute': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'A specified attribute does not exist (i.e., it needs to first be added)':
      'an attribute that the object does not have',
    'No matching attribute instance exists': 'an instance that is not there',
    'The specified attribute is read-only': "a custom attribute of the server's",
    'Trying to set the Name attribute value to a value already used by another object': 'the Name of another object',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data left to the server',
    'Object is archived': 'the object is archived',
  },
  'Delete Attribute': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Attempt to delete a read-only/REQUIRED attribute': 'a read-only attribute that is not there',
    'No matching attribute instance exists': 'an instance that is not there',
    'No attribute with the specified name exists': 'an attribute that nobody knows',
    'Object is archived': 'the object is archived',
  },
  'Obtain Lease': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'The server determines that a new lease is not permitted to be issued for the specified cryptographic object':
      'a compromised key',
    'Object is archived': 'the object is archived',
  },
  'Get Usage Allocation': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object has no Usage Limits attribute, or the object is not able to be used for applying cryptographic protection':
      'no Usage Limits',
    'No Usage Limits Count is specified': 'no Usage Limits Count',
    'Object is archived': 'the object is archived',
    'The server was not able to grant the requested amount of usage allocation': 'more than there is',
  },
  Activate: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Unique Identifier specifies a template or other object that is not able to be activated': 'a Template',
    'Object is not in Pre-Active state': 'an active object',
    'Object is archived': 'the object is archived',
  },
  Revoke: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Revocation Reason is not recognized': 'a Revocation Reason that is not recognized',
    'Unique Identifier specifies a template or other object that is not able to be revoked': 'a Template',
    'Object is archived': 'the object is archived',
  },
  Destroy: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object exists, but has already been destroyed': 'an object that was destroyed',
    'Object is not in Pre-Active, Deactivated or Compromised state': 'an active object',
    'Object is archived': 'the object is archived',
  },
  Archive: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object is already archived': 'the object is archived',
  },
  Recover: {
    'No object with the specified Unique Identifier exists': 'no such object',
  },
  Validate: {
    'The combination of Certificate Objects and Unique Identifiers does not specify a certificate list':
      'certificates that are not one chain',
    'One or more of the objects is archived': 'an archived certificate',
  },
  Poll: {
    'No outstanding operation with the specified Asynchronous Correlation Value exists':
      'no request has the correlation value',
  },
  Encrypt: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be used for encryption': 'a usage mask without the bit',
    'Cryptographic error during encryption': 'half a block without padding',
    'Object is archived': 'the object is archived',
    'The Key Value is not present on the server': 'a key whose value is not here',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  Decrypt: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be used for decryption': 'a usage mask without the bit',
    'Cryptographic error during decryption': 'a padding that is not one',
    'Object is archived': 'the object is archived',
    'The Key Value is not present on the server': 'a key whose value is not here',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  Sign: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be used for signing': 'a usage mask without the bit',
    'Cryptographic error during signing': 'a symmetric key',
    'Object is archived': 'the object is archived',
    'The Key Value is not present on the server': 'a key whose value is not here',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  'Signature Verify': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be used for signature verification': 'a usage mask without the bit',
    'Cryptographic error during signature verification': 'a symmetric key',
    'Object is archived': 'the object is archived',
    'The Key Value is not present on the server': 'a key whose value is not here',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  MAC: {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be used for MACing': 'a usage mask without the bit',
    'Cryptographic error during MACing': 'a hash that the library has not',
    'Object is archived': 'the object is archived',
    'The Key Value is not present on the server': 'a key whose value is not here',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  'MAC Verify': {
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
    'Object specified is not able to be used for MAC verification': 'a usage mask without the bit',
    'Cryptographic error during MAC verification': 'a hash that the library has not',
    'Object is archived': 'the object is archived',
    'The Key Value is not present on the server': 'a key whose value is not here',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  'RNG Retrieve': {
    'Cryptographic error during RNG Retrieve': never(
      'random bytes come from the operating system, which does not fail once it has started',
    ),
  },
  'RNG Seed': {
    'Cryptographic error during RNG Seed': never('a seed is mixed into the generator by a hash, which takes any bytes'),
  },
  Hash: {
    'Cryptographic error during HASH': 'a hash that the library has not',
    'No outstanding operation with the specified Correlation Value exists': 'an unknown Correlation Value',
  },
  'Create Split Key': {
    'Object Type is not recognized': 'another Object Type',
    'Templates that do not exist are given in request': 'a Template that does not exist',
    'Incorrect attribute value(s) specified': 'an attribute that nobody knows',
    'Error creating cryptographic object': 'a prime below the secret',
    'Trying to set more instances than the server supports of an attribute that MAY have multiple instances':
      'more instances than the server keeps',
    'Trying to create a new object with the same Name attribute value as an existing object':
      'a Name, which parts cannot share',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'an Application Namespace without data',
    'Template object is archived': 'an archived Template',
    'Split Key Method not supported': 'a method that nobody has',
    'No object with the specified Unique Identifier exists': 'no object has the identifier',
  },
  'Join Split Key': {
    'Object Type is not recognized': 'an Object Type that is not joined',
    'Templates that do not exist are given in request': 'a Template that does not exist',
    'Incorrect attribute value(s) specified': 'an attribute that nobody knows',
    'Error creating cryptographic object': 'a length that the secret has not',
    'Trying to set more instances than the server supports of an attribute that MAY have multiple instances':
      'more instances than the server keeps',
    'Trying to create a new object with the same Name attribute value as an existing object':
      'a Name that another object has',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'an Application Namespace without data',
    'Template object is archived': 'an archived Template',
    'Number of Unique Identifiers given in request is less than Split Key Threshold': 'fewer parts than the threshold',
    'Split Key Method not supported': 'parts of keys split otherwise',
    'No object with the specified Unique Identifier exists': 'a part that nobody has',
    'One or more of the objects is archived': 'an archived part',
  },
  Export: {
    'Object does not exist': 'no object has the identifier',
    'Wrapping key does not exist': 'a wrapping key that does not exist',
    'Object with Encryption Key Information exists, but it is not a key': 'what wraps is not a key',
    'Object with Encryption Key Information exists, but it is not able to be used for wrapping': 'no Wrap Key bit',
    'Object with MAC/Signature Key Information exists, but it is not a key': 'what authenticates is not a key',
    'Object with MAC/Signature Key Information exists, but it is not able to be used for MACing/signing':
      'no MAC Generate bit',
    'Object exists but cannot be provided in the desired Key Format Type and/or Key Compression Type':
      'a format that is not for the key',
    'Cryptographic Parameters associated with the object do not exist or do not match those provided in the Encryption Key Information and/or Signature Key Information':
      'parameters that the wrapping key does not have',
    'Object exists but cannot be provided in the desired Encoding Option': 'a structure without TTLV Encoding',
    'Encoding Option not permitted when Key Wrapping Specification contains attribute names':
      'attributes without TTLV Encoding',
    'Key Wrap Type is not supported by the server': 'a Key Wrap Type of nobody',
  },
  Import: {
    'Unique identifier already exists on the server and Replace Existing is false or not specified.':
      'the identifier is taken',
    'Object Type is not recognized': 'an Object Type of nobody',
    'Object Type does not match type of cryptographic object provided': 'an object of another Object Type',
    'Incorrect attribute value(s) specified': 'an attribute that does not apply',
    'Trying to register a new object with the same Name attribute value as an existing object':
      'the Name of another object',
    'Trying to set more instances than the server supports of an attribute that MAY have multiple instances':
      'more instances than the server keeps',
    'The particular Application Namespace is not supported, and Application Data cannot be generated if it was omitted from the client request':
      'Application Data that the server would have to make',
    'Encoding Option not permitted when Key Wrapping Specification contains attribute names': noWrappingSpecification,
    'Field is not supported by server': 'an attribute that does not apply',
  },
  'Batch Items': {
    'Processing of batch item fails with Batch Error Continuation Option set to Stop': elsewhere(
      'server/dispatch.test.ts',
      'Stop, also when nothing is said: what was done stays, what follows is not answered',
    ),
    'Processing of batch item fails with Batch Error Continuation Option set to Continue': elsewhere(
      'server/dispatch.test.ts',
      'Continue: all items are answered, and done where they can be',
    ),
    'Processing of batch item fails with Batch Error Continuation Option set to Undo': elsewhere(
      'server/dispatch.test.ts',
      'Undo: what was done is undone and says so without a payload; what follows is not answered',
    ),
  },
}
