/* SPDX-License-Identifier: Apache-2.0 */
/* AWS's error codes, each with its HTTP status and the sentence that AWS says: one
 * table. A code with several sentences has several rows. */
#ifndef S2_EC2_ERRORS_H
#define S2_EC2_ERRORS_H

#include "base/env.h"

/* X(name, code, HTTP status, sentence). {0}, {1}, {2} stand for the arguments. */
#define S2_EC2_FAULT_LIST(X)                                                                       \
    X(NONE, "", 200, "")                                                                           \
    /* the front door */                                                                           \
    X(MISSING_ACTION, "MissingAction", 400, "The request must contain the parameter Action")       \
    X(INVALID_ACTION, "InvalidAction", 400, "The action {0} is not valid for this web service.")   \
    X(NO_SUCH_VERSION, "NoSuchVersion", 400,                                                       \
      "The requested version ({0}) of service {1} does not exist")                                 \
    X(INVALID_QUERY_PARAMETER, "InvalidQueryParameter", 400,                                       \
      "The query parameter {0} is not valid: {1}")                                                 \
    X(MALFORMED_QUERY, "MalformedQueryString", 400, "The query string is malformed: {0}")          \
    X(REQUEST_TOO_LONG, "RequestEntityTooLarge", 413, "The request is too long")                   \
    X(METHOD_NOT_ALLOWED, "MethodNotAllowed", 405, "The method is not allowed; use POST or GET")   \
    X(NO_TOKEN, "MissingAuthenticationToken", 403, "Request is missing Authentication Token")      \
    X(INCOMPLETE_SIGNATURE, "IncompleteSignature", 400, "{0}")                                     \
    X(AUTH_FAILURE, "AuthFailure", 401,                                                            \
      "AWS was not able to validate the provided access credentials")                              \
    X(AUTH_FAILURE_SCOPE, "AuthFailure", 401, "{0}")                                               \
    X(SIGNATURE_MISMATCH, "SignatureDoesNotMatch", 403,                                            \
      "The request signature we calculated does not match the signature you provided. Check your " \
      "AWS Secret Access Key and signing method. Consult the service documentation for details.")  \
    X(SIGNATURE_MISMATCH_SCOPE, "SignatureDoesNotMatch", 403, "{0}")                               \
    X(INVALID_CLIENT_TOKEN, "InvalidClientTokenId", 403,                                           \
      "The security token included in the request is invalid")                                     \
    X(REQUEST_EXPIRED, "RequestExpired", 400, "Request has expired.")                              \
    X(UNAUTHORIZED, "UnauthorizedOperation", 403,                                                  \
      "You are not authorized to perform this operation.")                                         \
    X(DRY_RUN, "DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.")    \
    X(LIMIT_EXCEEDED, "RequestLimitExceeded", 503, "Request limit exceeded.")                      \
    X(INTERNAL, "InternalError", 500, "An internal error has occurred")                            \
    X(UNAVAILABLE, "ServiceUnavailable", 503, "The service is unavailable. Please try again.")     \
    /* parameters */                                                                               \
    X(MISSING_PARAMETER, "MissingParameter", 400, "The request must contain the parameter {0}")    \
    X(UNKNOWN_PARAMETER, "UnknownParameter", 400, "The parameter {0} is not recognized")           \
    X(INVALID_VALUE, "InvalidParameterValue", 400,                                                 \
      "Value ({0}) for parameter {1} is invalid. {2}")                                             \
    X(INVALID_FILTER, "InvalidParameterValue", 400, "The filter '{0}' is invalid")                 \
    X(FILTER_LIMIT, "FilterLimitExceeded", 400, "The maximum number of {0} for a request is {1}")  \
    X(COMBINATION, "InvalidParameterCombination", 400,                                             \
      "The parameter {0} cannot be used with the parameter {1}")                                   \
    X(INVALID_TOKEN, "InvalidNextToken", 400, "The token '{0}' is invalid")                        \
    /* objects */                                                                                  \
    X(VPC_MALFORMED, "InvalidVpcID.Malformed", 400, "Invalid id: \"{0}\" (expecting \"vpc-...\")") \
    X(SUBNET_MALFORMED, "InvalidSubnetID.Malformed", 400,                                          \
      "Invalid id: \"{0}\" (expecting \"subnet-...\")")                                            \
    X(VPN_GATEWAY_MALFORMED, "InvalidVpnGatewayID.Malformed", 400,                                 \
      "Invalid id: \"{0}\" (expecting \"vgw-...\")")                                               \
    X(CUSTOMER_GATEWAY_MALFORMED, "InvalidCustomerGatewayId.Malformed", 400,                       \
      "Invalid id: \"{0}\" (expecting \"cgw-...\")")                                               \
    X(VPN_CONNECTION_MALFORMED, "InvalidVpnConnectionID.Malformed", 400,                           \
      "Invalid id: \"{0}\" (expecting \"vpn-...\")")                                               \
    X(ROUTE_TABLE_MALFORMED, "InvalidRouteTableId.Malformed", 400,                                 \
      "Invalid id: \"{0}\" (expecting \"rtb-...\")")                                               \
    X(GROUP_MALFORMED, "InvalidGroupId.Malformed", 400,                                            \
      "Invalid id: \"{0}\" (expecting \"sg-...\")")                                                \
    X(INTERNET_GATEWAY_MALFORMED, "InvalidInternetGatewayId.Malformed", 400,                       \
      "Invalid id: \"{0}\" (expecting \"igw-...\")")                                               \
    X(VPC_NOT_FOUND, "InvalidVpcID.NotFound", 400, "The vpc ID '{0}' does not exist")              \
    X(SUBNET_NOT_FOUND, "InvalidSubnetID.NotFound", 400, "The subnet ID '{0}' does not exist")     \
    X(VPN_GATEWAY_NOT_FOUND, "InvalidVpnGatewayID.NotFound", 400,                                  \
      "The vpnGateway ID '{0}' does not exist")                                                    \
    X(CUSTOMER_GATEWAY_NOT_FOUND, "InvalidCustomerGatewayID.NotFound", 400,                        \
      "The customerGateway ID '{0}' does not exist")                                               \
    X(VPN_CONNECTION_NOT_FOUND, "InvalidVpnConnectionID.NotFound", 400,                            \
      "The vpnConnection ID '{0}' does not exist")                                                 \
    X(ATTACHMENT_NOT_FOUND, "InvalidVpnGatewayAttachment.NotFound", 400,                           \
      "The attachment with vpn gateway ID '{0}' and vpc ID '{1}' does not exist")                  \
    X(VPC_STATE, "InvalidVpcState", 400,                                                           \
      "VPC {0} is currently attached to the Virtual Private Gateway.")                             \
    X(DUPLICATE_ADDRESS, "InvalidCustomerGateway.DuplicateIpAddress", 400,                         \
      "Conflict among chosen gateway IP addresses.")                                               \
    X(INCORRECT_STATE, "IncorrectState", 400, "The {0} is in use.")                                \
    X(DEPENDENCY, "DependencyViolation", 400,                                                      \
      "The {0} '{1}' has dependencies and cannot be deleted.")                                     \
    X(GROUP_DEPENDENCY, "DependencyViolation", 400, "resource {0} has a dependent object")         \
    X(CANNOT_DELETE, "CannotDelete", 400,                                                          \
      "the specified group: \"{0}\" name: \"{1}\" cannot be deleted by a user")                    \
    X(ROUTE_TABLE_NOT_FOUND, "InvalidRouteTableID.NotFound", 400,                                  \
      "The routeTable ID '{0}' does not exist")                                                    \
    X(ROUTE_NOT_FOUND, "InvalidRoute.NotFound", 400,                                               \
      "no route with destination-cidr-block {0} in route table {1}")                               \
    X(ROUTE_EXISTS, "RouteAlreadyExists", 400, "The route identified by {0} already exists.")      \
    X(ASSOCIATION_NOT_FOUND, "InvalidAssociationID.NotFound", 400,                                 \
      "The association ID '{0}' does not exist")                                                   \
    X(ALREADY_ASSOCIATED, "Resource.AlreadyAssociated", 400,                                       \
      "the specified association for route table {0} conflicts with an existing association")      \
    X(NOT_ATTACHED, "Gateway.NotAttached", 400, "resource {0} is not attached to network {1}")     \
    X(GATEWAY_NOT_FOUND, "InvalidGatewayID.NotFound", 400, "The gateway ID '{0}' does not exist")  \
    X(OTHER_NETWORK, "InvalidParameterValue", 400,                                                 \
      "route table {0} and network gateway {1} belong to different networks")                      \
    X(PRE_SHARED_KEY, "InvalidParameterValue", 400,                                                \
      "Value for parameter PreSharedKey is invalid.")                                              \
    X(VPC_RANGE, "InvalidVpc.Range", 400, "The CIDR '{0}' is invalid.")                            \
    X(SUBNET_RANGE, "InvalidSubnet.Range", 400, "The CIDR '{0}' is invalid.")                      \
    X(SUBNET_CONFLICT, "InvalidSubnet.Conflict", 400,                                              \
      "The CIDR '{0}' conflicts with another subnet")                                              \
    X(GROUP_NOT_FOUND, "InvalidGroup.NotFound", 400, "The security group '{0}' does not exist")    \
    X(GROUP_DUPLICATE, "InvalidGroup.Duplicate", 400,                                              \
      "The security group '{0}' already exists for VPC '{1}'")                                     \
    X(RULE_DUPLICATE, "InvalidPermission.Duplicate", 400,                                          \
      "the specified rule \"{0}\" already exists")                                                 \
    X(RULE_NOT_FOUND, "InvalidPermission.NotFound", 400,                                           \
      "The specified rule does not exist in this security group.")                                 \
    X(RULE_ID_NOT_FOUND, "InvalidSecurityGroupRuleId.NotFound", 400,                               \
      "The security group rule ID '{0}' does not exist")                                           \
    X(INTERNET_GATEWAY_NOT_FOUND, "InvalidInternetGatewayID.NotFound", 400,                        \
      "The internetGateway ID '{0}' does not exist")                                               \
    X(INVALID_ID, "InvalidID", 400, "The ID '{0}' is not valid")                                   \
    X(TAG_LIMIT, "TagLimitExceeded", 400, "The maximum number of tags has been reached.")          \
    X(CUSTOMER_GATEWAY_LIMIT, "CustomerGatewayLimitExceeded", 400,                                 \
      "The maximum number of customer gateways has been reached.")                                 \
    X(VPN_GATEWAY_LIMIT, "VpnGatewayLimitExceeded", 400,                                           \
      "The maximum number of virtual private gateways has been reached.")                          \
    X(VPN_CONNECTION_LIMIT, "VpnConnectionLimitExceeded", 400,                                     \
      "The maximum number of vpn connections has been reached.")                                   \
    X(ATTACHMENT_LIMIT, "VpnGatewayAttachmentLimitExceeded", 400,                                  \
      "The maximum number of attachments has been reached.")                                       \
    X(VPC_LIMIT, "VpcLimitExceeded", 400, "The maximum number of VPCs has been reached.")          \
    X(ROUTE_LIMIT, "RouteLimitExceeded", 400, "The maximum number of routes has been reached.")    \
    X(ROUTE_TABLE_LIMIT, "RouteTableLimitExceeded", 400,                                           \
      "The maximum number of route tables has been reached.")                                      \
    X(GROUP_LIMIT, "SecurityGroupLimitExceeded", 400,                                              \
      "The maximum number of security groups has been reached.")                                   \
    X(RULE_LIMIT, "RulesPerSecurityGroupLimitExceeded", 400,                                       \
      "The maximum number of rules per security group has been reached.")

enum s2_ec2_fault_id {
#define S2_EC2_FAULT_ENUM(name, code, http, sentence) S2_EC2_##name,
    S2_EC2_FAULT_LIST(S2_EC2_FAULT_ENUM)
#undef S2_EC2_FAULT_ENUM
        S2_EC2_FAULTS
};

/* Longest sentence; what a client sent is cut before that. */
#define S2_EC2_MESSAGE_SIZE 640

/* Why a request is refused. All zero: it isn't. */
struct s2_ec2_fault {
    enum s2_ec2_fault_id id;
    char message[S2_EC2_MESSAGE_SIZE];
};

const char *s2_ec2_fault_code(enum s2_ec2_fault_id id);
unsigned s2_ec2_fault_http(enum s2_ec2_fault_id id);

/* Record a refusal unless there is one already. Arguments that the sentence has no
 * place for are NULL; each is cut to 128 bytes, at a character's end. Returns
 * E_MEMORY for INTERNAL, E_AUTHENTICATION for 401 and 403, else E_ARGUMENT. */
s2svpn_status s2_ec2_fail(struct s2_ec2_fault *f, enum s2_ec2_fault_id id, const char *a,
                          const char *b, const char *c);

#endif
