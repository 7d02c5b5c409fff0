/* SPDX-License-Identifier: Apache-2.0 */
#include "device/model/state.h"

#include <stdlib.h>
#include <string.h>

#define REGION_PAGES_DEFAULT (UINT32_C(1) << 20)

static bool settings_are_valid(const struct vdev_settings *settings)
{
    return (settings->vector == VDEV_VECTOR_PER_DEVICE ||
            settings->vector == VDEV_VECTOR_PER_REGION) &&
           (settings->memory == VDEV_MEMORY_ZEROED || settings->memory == VDEV_MEMORY_STALE) &&
           settings->regions_max <= VDEV_REGIONS_MAX;
}

static bool ops_are_complete(const struct vdev_ops *ops)
{
    return ops && ops->region_begin && ops->region_end && ops->place && ops->interrupt;
}

struct vdev_model *vdev_model_new(const struct vdev_settings *settings, const struct vdev_ops *ops,
                                  void *context)
{
    if ((settings && !settings_are_valid(settings)) || !ops_are_complete(ops))
        return NULL;
    struct vdev_model *model = calloc(1, sizeof(*model));
    if (!model)
        return NULL;
    if (settings)
        model->settings = *settings;
    if (model->settings.regions_max == 0)
        model->settings.regions_max = VDEV_REGIONS_MAX;
    if (model->settings.region_pages_max == 0)
        model->settings.region_pages_max = REGION_PAGES_DEFAULT;
    if (model->settings.pages_max == 0)
        model->settings.pages_max = UINT64_MAX;
    model->ops = ops;
    model->context = context;
    return model;
}

void vdev_model_free(struct vdev_model *model)
{
    free(model);
}

bool vdev_model_region(const struct vdev_model *model, uint32_t slot, struct vdev_region_info *info)
{
    if (slot >= VDEV_REGIONS_MAX || model->regions[slot].pages == 0)
        return false;
    const struct vdev_region *region = &model->regions[slot];
    memcpy(info->name, region->name, sizeof(info->name));
    info->pages = region->pages;
    info->members = region->members;
    info->permanent = region->permanent;
    return true;
}
