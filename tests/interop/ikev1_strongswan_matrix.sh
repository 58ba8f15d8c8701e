#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongswan_matrix.sh's cases with IKEv1, which has no AEAD and no group 31 in phase 1.
ike_version=1
. "$(dirname "$0")/strongswan_matrix.sh"
