/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as XML: elements, lists, values, and the envelopes of the two services. */
#ifndef S2_EC2_XML_H
#define S2_EC2_XML_H

#include "base/text.h"
#include "ec2/errors.h"

#define S2_EC2_VERSION "2016-11-15"
#define S2_EC2_STS_VERSION "2011-06-15"
#define S2_EC2_REQUEST_ID_SIZE 37
#define S2_EC2_XML_DEPTH 16

enum s2_ec2_service { S2_EC2_SERVICE_EC2, S2_EC2_SERVICE_STS };

struct s2_ec2_xml {
    struct s2_buffer *out; /* its failure sticks; look at it once */
    const char *open[S2_EC2_XML_DEPTH];
    size_t depth;
};

void s2_ec2_xml_init(struct s2_ec2_xml *x, struct s2_buffer *out);
/* Element names are ours, and literals; texts are anybody's. */
void s2_ec2_xml_begin(struct s2_ec2_xml *x, const char *name);
void s2_ec2_xml_end(struct s2_ec2_xml *x);
void s2_ec2_xml_text(struct s2_ec2_xml *x, const char *name, const char *text); /* NULL: left out */
void s2_ec2_xml_number(struct s2_ec2_xml *x, const char *name, int64_t value);
void s2_ec2_xml_bool(struct s2_ec2_xml *x, const char *name, bool value);
void s2_ec2_xml_time(struct s2_ec2_xml *x, const char *name, int64_t seconds);

/* The answer's frame: what stands between the two is the action's own. */
void s2_ec2_xml_answer_begin(struct s2_ec2_xml *x, enum s2_ec2_service service, const char *action,
                             const char *request_id);
void s2_ec2_xml_answer_end(struct s2_ec2_xml *x, enum s2_ec2_service service, const char *action,
                           const char *request_id);
void s2_ec2_xml_fault(struct s2_buffer *out, enum s2_ec2_service service,
                      const struct s2_ec2_fault *fault, const char *request_id);

/* A random UUID, RFC 9562 section 5.4. */
S2SVPN_NODISCARD s2svpn_status s2_ec2_request_id(const struct s2_env *env,
                                                 char out[S2_EC2_REQUEST_ID_SIZE]);

#endif
